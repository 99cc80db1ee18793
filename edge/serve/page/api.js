// Shows /openapi.json: each route, what it takes, and what it answers.

function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

function table(title, rows) {
  const lines = rows.map(([name, ...cells]) =>
    make("tr", make("th", name), ...cells.map((cell) => make("td", cell))),
  );
  return rows.length ? [make("table", make("caption", title), make("tbody", ...lines))] : [];
}

function formOf({ content = {} }) {
  return Object.keys(content).join(", ");
}

function show(path, method, route) {
  const parameters = (route.parameters ?? []).map(({ name, description, schema }) => [
    name, description ?? schema.type,
  ]);
  const body = route.requestBody ? [["body", formOf(route.requestBody)]] : [];
  const answers = Object.entries(route.responses).map(([status, answer]) => [
    status, `${answer.description} ${formOf(answer)}`,
  ]);
  return make(
    "article", make("h2", `${method.toUpperCase()} ${path}`), make("p", route.description ?? ""),
    ...table("Takes", [...parameters, ...body]), ...table("Answers", answers),
  );
}

const { paths } = await (await fetch("/openapi.json")).json();
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, route] of Object.entries(methods)) {
    document.getElementById("routes").append(show(path, method, route));
  }
}
