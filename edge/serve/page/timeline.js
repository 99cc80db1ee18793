// What the faces of a camera or a video have done in the last seconds: small plots of each track.

import { make } from "./elements.js";
import { statesOf } from "./states.js";

const SPAN_S = 20; // shown
const GONE_S = 5; // after which a track without a face is taken away
const GAP_S = 0.5; // between two values, from which their line is interrupted
const SHOW_MS = 100; // between two updates of the page
// Of each plot: title, values at its bottom and top, unit, lines [label, name in the state, class of
// its colour], the setting that is drawn as a thin line, and kinds of events that are shaded.
const PLOTS = [
  ["Eye opening", 0, 0.5, "", [["right", "eye_opening_right", "right"], ["left", "eye_opening_left", "left"]],
    "closed_opening", ["blink", "eyes_closed"]],
  ["Mouth opening", 0, 1, "", [["lips", "lip_opening", "middle"]], "yawn_opening", ["yawn", "talking"]],
  ["Head", -60, 60, "°", [["yaw", "yaw_deg", "right"], ["pitch", "pitch_deg", "left"]],
    "straight_deg", ["nod", "shake"]],
];
const COUNTED = { blink: "blinks", eyes_closed: "closures", yawn: "yawns", nod: "nods", shake: "shakes" };

/** The tracks of one camera or video. */
export class Timeline {
  /** `settings` are the server's, `settings.states`. */
  constructor(settings) {
    this.settings = settings;
    this.element = make("div", { class: "timelines" });
    this.tracks = new Map();
    this.shown = -Infinity;
    this.clear();
  }

  /** Add the faces of a frame, each with `id`, `state` and `quality`, and events that have ended. */
  add(seconds, faces, events = []) {
    if (seconds + this.shift < this.time) this.shift = this.time - seconds; // a video restarts
    const time = (this.time = seconds + this.shift);
    for (const face of faces) this.trackOf(face.id).add(time, face);
    for (const event of events) {
      const [start, end] = [event.time + this.shift, event.end + this.shift];
      this.tracks.get(event.track)?.note({ ...event, time: start, end });
    }
    for (const [id, track] of this.tracks) {
      if (time - track.time > GONE_S) {
        track.element.remove();
        this.tracks.delete(id);
      }
    }
    const now = performance.now();
    if (now - this.shown < SHOW_MS) return;
    this.shown = now;
    for (const track of this.tracks.values()) track.draw(time, this.settings);
  }

  clear() {
    this.tracks.clear();
    this.element.replaceChildren();
    this.time = -Infinity;
    this.shift = 0; // from a video's times to those shown, which never fall
  }

  trackOf(id) {
    if (!this.tracks.has(id)) {
      const track = new Track(id);
      this.tracks.set(id, track);
      this.element.append(track.element);
    }
    return this.tracks.get(id);
  }
}

class Track {
  constructor(id) {
    this.points = []; // {time, state}
    this.events = [];
    this.counts = {};
    this.table = make("div");
    this.facts = make("p", { class: "facts" });
    this.canvases = PLOTS.map(([title]) =>
      make("canvas", { class: "plot", role: "img", "aria-label": `${title} of face ${id}, ${SPAN_S} s` }),
    );
    const figures = PLOTS.map((plot, i) => make("figure", {}, captionOf(plot), this.canvases[i]));
    this.element = make("section", { class: "track" }, make("h3", {}, `Face ${id}`), this.facts,
      make("div", { class: "plots" }, ...figures), this.table);
  }

  add(time, face) {
    this.time = time;
    this.face = face;
    this.points.push({ time, state: face.state ?? {} });
    this.points = this.points.filter((point) => time - point.time <= SPAN_S);
    this.events = this.events.filter((event) => time - event.end <= SPAN_S);
  }

  note(event) {
    this.events.push(event);
    this.counts[event.kind] = (this.counts[event.kind] ?? 0) + 1;
  }

  draw(now, settings) {
    const counted = Object.entries(COUNTED)
      .filter(([kind]) => this.counts[kind])
      .map(([kind, many]) => `${many}: ${this.counts[kind]}`);
    this.facts.textContent = counted.join(", ");
    this.table.replaceChildren(statesOf(this.face) ?? "");
    this.canvases.forEach((canvas, i) => drawPlot(canvas, PLOTS[i], this, now, settings));
  }
}

function captionOf([title, low, high, unit, lines]) {
  const keys = lines.map(([label, , colour]) => make("span", { class: `key ${colour}` }, label));
  const range = make("span", { class: "range" }, `${low} to ${high}${unit}, ${SPAN_S} s`);
  return make("figcaption", {}, `${title}: `, ...keys, range);
}

function drawPlot(canvas, [, low, high, , lines, guide, kinds], { points, events }, now, settings) {
  const ratio = window.devicePixelRatio;
  const width = (canvas.width = Math.round(canvas.clientWidth * ratio));
  const height = (canvas.height = Math.round(canvas.clientHeight * ratio));
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const colourOf = (name) => style.getPropertyValue(`--plot-${name}`);
  const x = (time) => width * (1 - (now - time) / SPAN_S);
  const y = (value) => height * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
  context.fillStyle = colourOf("event");
  for (const { time, end } of events.filter(({ kind }) => kinds.includes(kind))) {
    context.fillRect(x(time), 0, Math.max(x(end) - x(time), 2 * ratio), height);
  }
  context.fillStyle = colourOf("guide");
  context.fillRect(0, Math.round(y(settings[guide])), width, ratio);
  context.lineWidth = 1.5 * ratio;
  context.lineJoin = "round";
  for (const [, name, colour] of lines) {
    context.strokeStyle = colourOf(colour);
    context.beginPath();
    let last = -Infinity;
    for (const { time, state } of points.filter(({ state }) => name in state)) {
      const at = [x(time), y(state[name].value)];
      if (time - last > GAP_S) context.moveTo(...at);
      else context.lineTo(...at);
      last = time;
    }
    context.stroke();
  }
}

/** Give the faces of a frame the numbers of the faces before that are nearest; new ones count on. */
export class Numbering {
  constructor() {
    this.known = [];
    this.next = 0;
  }

  /** The faces with `id`s that last from frame to frame. */
  number(faces) {
    const free = new Set(this.known);
    this.known = faces.map((face) => {
      const [x, y] = centreOf(face);
      let nearest = null;
      let best = face.box[2]; // px, its width: nobody moves farther from frame to frame
      for (const other of free) {
        const distance = Math.hypot(x - centreOf(other)[0], y - centreOf(other)[1]);
        if (distance < best) [nearest, best] = [other, distance];
      }
      free.delete(nearest);
      return { ...face, id: nearest ? nearest.id : this.next++ };
    });
    return this.known;
  }
}

function centreOf({ box: [x, y, width, height] }) {
  return [x + width / 2, y + height / 2];
}
