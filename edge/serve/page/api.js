// Renders /openapi.json: each route with its parameters and responses.

function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

function table(title, rows) {
  const body = rows.map(([name, ...cells]) =>
    make("tr", make("th", name), ...cells.map((cell) => make("td", cell))),
  );
  return rows.length ? [make("table", make("caption", title), make("tbody", ...body))] : [];
}

function mediaTypes({ content = {} }) {
  return Object.keys(content).join(", ");
}

function show(path, method, route) {
  const parameters = (route.parameters ?? []).map(({ name, description, schema }) => [
    name, description ?? schema.type,
  ]);
  const body = route.requestBody ? [["body", mediaTypes(route.requestBody)]] : [];
  const responses = Object.entries(route.responses).map(([status, response]) => [
    status, `${response.description} ${mediaTypes(response)}`,
  ]);
  return make(
    "article", make("h2", `${method.toUpperCase()} ${path}`), make("p", route.description ?? ""),
    ...table("Parameters", [...parameters, ...body]), ...table("Responses", responses),
  );
}

const { paths } = await (await fetch("/openapi.json")).json();
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, route] of Object.entries(methods)) {
    document.getElementById("routes").append(show(path, method, route));
  }
}
