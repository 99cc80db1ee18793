// The page: what is chosen, dropped or filmed is looked at, here or on the server, and shown.

import { Filming } from "./filming.js";
import { findInBrowser, findOnServer, openPicture } from "./pictures.js";
import { toCsv } from "./records.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
const NOTES = {
  server: "The server keeps and logs nothing of the pictures.",
  browser: "No picture leaves this browser.",
};
const views = [];
let about = null; // what /v1/model says

function say(message, bad = false) {
  $("status").textContent = message;
  $("status").classList.toggle("bad", bad);
}

function where() {
  return $("in-browser").checked ? "browser" : "server";
}

async function find(blob, name) {
  const way = where();
  if (way === "server") return { ...(await findOnServer(blob, name)), where: "on the server" };
  return { ...(await findInBrowser(blob, name, about.settings)), where: "in this browser" };
}

async function add(files) {
  for (const file of files) {
    say(`${file.name} …`);
    const view = new View(file.name);
    try {
      const picture = await openPicture(file);
      view.show(picture, await find(file, file.name), $("circles").checked);
      view.file = file;
      say("");
    } catch (error) {
      view.fail(`${file.name}: ${error.message}`);
      say(`${file.name} could not be looked at.`, true);
    }
    views.unshift(view);
    $("results").prepend(view.element);
    refresh();
  }
}

/** Look again at the photos that are shown, the other way. */
async function again() {
  $("where-note").textContent = NOTES[where()];
  for (const view of views.filter(({ file }) => file)) {
    try {
      say(`${view.file.name} …`);
      view.show(view.picture, await find(view.file, view.file.name), $("circles").checked);
      say("");
    } catch (error) {
      say(`${view.file.name}: ${error.message}`, true);
    }
  }
}

function records() {
  return views.filter(({ found }) => found).map(({ found }) => found.record);
}

function refresh() {
  const none = !views.length;
  for (const id of ["json", "csv"]) $(id).disabled = !records().length;
  $("clear").disabled = none;
}

function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function saveJson() {
  const all = records();
  const text = JSON.stringify(all.length === 1 ? all[0] : all, null, 1);
  save(`${text}\n`, "faces.json", "application/json");
}

async function start() {
  const answer = await fetch("/v1/model");
  about = await answer.json();
  if (about.in_browser) {
    $("in-browser").disabled = true;
    $("where-note").textContent += ` In this browser: ${about.in_browser}.`;
  }
  if (about.live) {
    $("live").hidden = false;
    $("stream").src = "/v1/live";
  }
}

const filming = new Filming($("video"), {
  find: (blob) => find(blob, "camera"),
  begin() {
    const view = new View("camera");
    views.unshift(view);
    $("results").prepend(view.element);
    return view;
  },
  show(view, picture, found) {
    view.show(picture, found, $("circles").checked);
    refresh();
  },
  changed(isOn) {
    $("camera").setAttribute("aria-pressed", String(isOn));
    $("camera").textContent = isOn ? "Stop the camera" : "Use this device’s camera";
  },
  say,
});

$("files").addEventListener("change", async ({ target }) => {
  const files = [...target.files];
  target.value = ""; // so that the same photo may be chosen again
  await add(files);
});
$("camera").addEventListener("click", () => filming.toggle());
$("circles").addEventListener("change", () => {
  for (const view of views) view.draw($("circles").checked);
});
for (const input of document.querySelectorAll("input[name=where]")) {
  input.addEventListener("change", again);
}
$("json").addEventListener("click", saveJson);
$("csv").addEventListener("click", () => {
  save(toCsv(records(), about.settings.keypoint_names), "faces.csv", "text/csv");
});
$("clear").addEventListener("click", () => {
  filming.stop();
  views.length = 0;
  $("results").replaceChildren();
  refresh();
  say("");
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") add([...event.dataTransfer.files]);
  });
}

start().catch(() => say("The server does not answer.", true));
