// The page: finds and shows the faces of photos that are chosen or dropped, and of camera frames.

import { Camera } from "./camera.js";
import { findInBrowser, findOnServer, openImage } from "./faces.js";
import { toCsv } from "./records.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
const NOTES = {
  server: "The server neither stores nor logs images.",
  browser: "Images are not sent to the server.",
};
const views = [];
let server = null; // the description from /v1/model

function say(message, bad = false) {
  $("status").textContent = message;
  $("status").classList.toggle("bad", bad);
}

function selectedLocation() {
  return $("in-browser").checked ? "browser" : "server";
}

async function find(blob, name) {
  if (selectedLocation() === "server") return { ...(await findOnServer(blob, name)), where: "on the server" };
  return { ...(await findInBrowser(blob, name, server.settings)), where: "in this browser" };
}

async function add(files) {
  for (const file of files) {
    say(`${file.name} …`);
    const view = new View(file.name);
    try {
      const image = await openImage(file);
      view.show(image, await find(file, file.name), $("circles").checked);
      view.file = file;
      say("");
    } catch (error) {
      view.fail(`${file.name}: ${error.message}`);
      say(`${file.name} could not be processed.`, true);
    }
    views.unshift(view);
    $("results").prepend(view.element);
    refresh();
  }
}

/** Process the shown photos again, at the newly selected location. */
async function reprocess() {
  $("where-note").textContent = NOTES[selectedLocation()];
  for (const view of views.filter(({ file }) => file)) {
    try {
      say(`${view.file.name} …`);
      view.show(view.image, await find(view.file, view.file.name), $("circles").checked);
      say("");
    } catch (error) {
      say(`${view.file.name}: ${error.message}`, true);
    }
  }
}

function records() {
  return views.filter(({ result }) => result).map(({ result }) => result.record);
}

function refresh() {
    for (const id of ["json", "csv"]) $(id).disabled = !records().length;
  $("clear").disabled = !views.length;
}

function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function saveJson() {
  const results = records();
  const text = JSON.stringify(results.length === 1 ? results[0] : results, null, 1);
  save(`${text}\n`, "faces.json", "application/json");
}

async function start() {
  const response = await fetch("/v1/model");
  server = await response.json();
  if (server.in_browser) {
    $("in-browser").disabled = true;
    $("where-note").textContent += ` In this browser: ${server.in_browser}.`;
  }
  if (server.live) {
    $("live").hidden = false;
    $("stream").src = "/v1/live";
  }
}

const camera = new Camera($("video"), {
  find: (blob) => find(blob, "camera"),
  begin() {
    const view = new View("camera");
    views.unshift(view);
    $("results").prepend(view.element);
    return view;
  },
  show(view, image, result) {
    view.show(image, result, $("circles").checked);
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
  target.value = ""; // or choosing the same photo again would be no change
  await add(files);
});
$("camera").addEventListener("click", () => camera.toggle());
$("circles").addEventListener("change", () => {
  for (const view of views) view.draw($("circles").checked);
});
for (const input of document.querySelectorAll("input[name=where]")) {
  input.addEventListener("change", reprocess);
}
$("json").addEventListener("click", saveJson);
$("csv").addEventListener("click", () => {
  save(toCsv(records(), server.settings.keypoint_names), "faces.csv", "text/csv");
});
$("clear").addEventListener("click", () => {
  camera.stop();
  views.length = 0;
  $("results").replaceChildren();
  refresh();
  say("");
});
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", type === "dragenter" || type === "dragover");
    if (type === "drop") add([...event.dataTransfer.files]);
  });
}

start().catch(() => say("The server does not respond.", true));
