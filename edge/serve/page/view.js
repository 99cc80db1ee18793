// The view of one result: the image on a canvas, beside measures, keypoints and timings.

import { drawCloseUp, drawFaces, isHidden } from "./canvas.js";
import { make } from "./elements.js";
import { statesOf } from "./states.js";

// Labels of the stages in the Server-Timing header.
const STAGES = {
  decode: "decoding", search: "detection", look: "keypoints", measure: "measures", total: "total",
};

/** An image and its result on the page. */
export class View {
  constructor(name) {
    this.canvas = make("canvas", { role: "img", "aria-label": name });
    this.faces = make("div", { class: "faces" });
    this.element = make(
      "article", {}, make("h2", {}, name), make("div", {}, this.canvas, this.faces),
    );
  }

  /** Show an image and its result, {record, timings, where}; `style` as for `drawFaces`. */
  show(image, result, style) {
    this.image = image;
    this.result = result;
    const { record, timings, where } = result;
    const count = record.faces.length;
    const faces = count === 1 ? "1 face" : `${count || "no"} faces`;
    this.canvas.setAttribute("aria-label", `${record.image}: ${faces}`);
    const wasOpen = [...this.faces.querySelectorAll("details")].map((details) => details.open);
    const size = `${record.width}×${record.height} px`;
    const times = Object.entries(timings)
      .map(([stage, ms]) => `${STAGES[stage]} ${ms.toFixed(1)} ms`)
      .join(", ");
    this.faces.replaceChildren(
      make("p", { class: "facts" }, `${size}, ${faces}, found ${where}: ${times}`),
      ...record.faces.flatMap((face) => [
        closeUpOf(face), statesOf(face) ?? "", measuresOf(face), keypointsOf(face),
      ]),
    );
    this.draw(style);
    this.faces.querySelectorAll("details").forEach((details, i) => {
      details.open = wasOpen[i] ?? false;
    });
  }

  draw(style) {
    if (!this.result) return;
    const { faces } = this.result.record;
    drawFaces(this.canvas, this.image, this.result.record, style);
    this.faces.querySelectorAll("canvas").forEach((canvas, i) => {
      drawCloseUp(canvas, this.image, faces[i], style);
    });
  }

  fail(message) {
    this.canvas.remove();
    this.faces.replaceChildren(make("p", { class: "bad" }, message));
  }
}

function closeUpOf({ id }) {
  return make("canvas", { class: "close-up", role: "img", "aria-label": `Face ${id}, close up` });
}

function measuresOf({ id, score, measures }) {
  const rows = Object.entries(measures).map(([name, { value, error }]) => {
    const label = name.replace(/_(deg|px)$/, "").replaceAll("_", " ");
    return row([label, `${value} ± ${error}${unitOf(name)}`]);
  });
  const caption = make("caption", {}, `Face ${id}, score ${score.toFixed(2)}`);
  return make("table", {}, caption, make("tbody", {}, ...rows));
}

function unitOf(name) {
  if (name.endsWith("_deg")) return "°";
  return name.endsWith("_px") ? " px" : "";
}

function keypointsOf({ keypoints, visible }) {
  const rows = Object.entries(keypoints).map(([name, { x, y, error }]) => {
    const note = isHidden(visible?.[name]) ? ", hidden" : "";
    return row([name.replaceAll("_", " ") + note, x, y, `± ${error}`]);
  });
  const table = make("table", {}, make("tbody", {}, ...rows));
  return make("details", {}, make("summary", {}, `${rows.length} keypoints, px`), table);
}

function row([heading, ...values]) {
  const cells = values.map((value) => make("td", {}, String(value)));
  return make("tr", {}, make("th", { scope: "row" }, heading), ...cells);
}
