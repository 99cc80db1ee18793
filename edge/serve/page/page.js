// The page: finds and shows the faces of photos that are chosen or dropped, and of camera frames.

import { Camera } from "./camera.js";
import { findInBrowser, findOnServer, openImage } from "./faces.js";
import { Live } from "./live.js";
import { toCsv } from "./records.js";
import { Numbering, Timeline } from "./timeline.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
const NOTES = {
  server: "The server neither stores nor logs images.",
  browser: "Images are not sent to the server, which alone tells eyes, mouth, quality and hidden keypoints.",
};
const views = [];
let server = null; // the description from /v1/model

function showStatus(message, bad = false) {
  $("status").textContent = message;
  $("status").classList.toggle("bad", bad);
}

function selectedLocation() {
  return $("in-browser").checked ? "browser" : "server";
}

async function find(blob, name) {
  const chosen = ["points68", "states", "visible"].map((id) => [id, $(id).checked]);
  const wanted = Object.fromEntries(chosen);
  if (selectedLocation() === "server") {
    return { ...(await findOnServer(blob, name, wanted)), where: "on the server" };
  }
  const found = await findInBrowser(blob, name, server.settings, wanted);
  return { ...found, where: "in this browser" };
}

/** How faces are drawn. */
function drawingStyle() {
  return { circles: $("circles").checked, lines: server.settings.points68.lines };
}

async function addPhotos(files) {
  for (const file of files) {
    showStatus(`${file.name} …`);
    const view = new View(file.name);
    try {
      const image = await openImage(file);
      view.show(image, await find(file, file.name), drawingStyle());
      view.file = file;
      showStatus("");
    } catch (error) {
      view.fail(`${file.name}: ${error.message}`);
      showStatus(`${file.name} could not be processed.`, true);
    }
    views.unshift(view);
    $("results").prepend(view.element);
    refresh();
  }
}

/** Process the shown photos again, with the newly selected location and points. */
async function reprocess() {
  $("where-note").textContent = NOTES[selectedLocation()];
  for (const id of ["states", "visible"]) $(id).disabled = selectedLocation() === "browser";
  for (const view of views.filter(({ file }) => file)) {
    try {
      showStatus(`${view.file.name} …`);
      view.show(view.image, await find(view.file, view.file.name), drawingStyle());
      showStatus("");
    } catch (error) {
      showStatus(`${view.file.name}: ${error.message}`, true);
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

function saveFile(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function saveJson() {
  const results = records();
  const text = JSON.stringify(results.length === 1 ? results[0] : results, null, 1);
  saveFile(`${text}\n`, "faces.json", "application/json");
}

async function start() {
  const response = await fetch("/v1/model");
  server = await response.json();
  if (server.in_browser) {
    $("in-browser").disabled = true;
    $("where-note").textContent += ` In this browser: ${server.in_browser}.`;
  }
  const { available, requested } = server.settings.points68;
  $("points68-option").hidden = !available;
  $("points68").checked = requested;
  if (server.live) new Live($("live"), server.settings.states);
}

const camera = new Camera($("video"), {
  find: (blob) => find(blob, "camera"),
  begin() {
    const view = new View("camera");
    view.timeline = new Timeline(server.settings.states);
    view.numbering = new Numbering();
    view.element.append(view.timeline.element);
    views.unshift(view);
    $("results").prepend(view.element);
    return view;
  },
  show(view, image, result, time) {
    view.show(image, result, drawingStyle());
    const faces = result.record.faces.filter(({ state }) => state);
    view.timeline.add(time, view.numbering.number(faces));
    refresh();
  },
  changed(isOn) {
    $("camera").setAttribute("aria-pressed", String(isOn));
    $("camera").textContent = isOn ? "Stop the camera" : "Use this device’s camera";
  },
  showStatus,
});

$("files").addEventListener("change", async ({ target }) => {
  const files = [...target.files];
  target.value = ""; // or choosing the same photo again would be no change
  await addPhotos(files);
});
$("camera").addEventListener("click", () => camera.toggle());
$("circles").addEventListener("change", () => {
  for (const view of views) view.draw(drawingStyle());
});
for (const id of ["points68", "states", "visible"]) $(id).addEventListener("change", reprocess);
for (const input of document.querySelectorAll("input[name=where]")) {
  input.addEventListener("change", reprocess);
}
$("json").addEventListener("click", saveJson);
$("csv").addEventListener("click", () => {
  saveFile(toCsv(records(), server.settings), "faces.csv", "text/csv");
});
$("clear").addEventListener("click", () => {
  camera.stop();
  views.length = 0;
  $("results").replaceChildren();
  refresh();
  showStatus("");
});
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", type === "dragenter" || type === "dragover");
    if (type === "drop") addPhotos([...event.dataTransfer.files]);
  });
}

start().catch(() => showStatus("The server does not respond.", true));
