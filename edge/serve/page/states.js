// What is measured of a face's eyes, mouth and head, and how good a shot it is, as a table of bars.

import { make } from "./elements.js";

// Label, name in the record, the values at both ends of the bar, decimals and unit.
const ROWS = [
  ["right eye", "eye_opening_right", 0, 0.5, 2, ""],
  ["left eye", "eye_opening_left", 0, 0.5, 2, ""],
  ["mouth", "lip_opening", 0, 1, 2, ""],
  ["yaw", "yaw_deg", -90, 90, 0, "°"],
  ["pitch", "pitch_deg", -90, 90, 0, "°"],
  ["distance", "distance_cm", 0, 300, 0, " cm"],
];
const CLOSED = { eye_opening_right: "closed_right", eye_opening_left: "closed_left" };
const SURE = 0.5; // probability from which an eye is called closed

/** The table of a face's `state` and `quality`; null where it has neither. */
export function statesOf({ state, quality }) {
  if (!state && !quality) return null;
  const rows = [...stateRows(state ?? {}), ...qualityRows(quality ?? {})];
  const note = rows.length ? [] : [make("tr", {}, make("td", {}, "Nothing can be told."))];
  return make("table", { class: "states" }, make("tbody", {}, ...rows, ...note));
}

function stateRows(state) {
  const rows = ROWS.filter(([, name]) => name in state).map(
    ([label, name, low, high, digits, unit]) => {
      const { value, error } = state[name];
      const text = `${fixed(value, digits)} ± ${error.toFixed(digits)}${unit}`;
      const note = state[CLOSED[name]] >= SURE ? " closed" : "";
      const place = (at) => (at - low) / (high - low);
      return row(label, place(Math.max(low, 0)), place(value), text + note, low < 0);
    },
  );
  if ("facing" in state) rows.push(shareRow("faces the camera", state.facing));
  if ("perclos" in state) rows.push(shareRow("eyes closed, last minute", state.perclos));
  return rows;
}

/** A number in decimals, without the sign of a zero. */
export function fixed(value, digits) {
  return value.toFixed(digits).replace(/^-(?=[0.]+$)/, "");
}

function qualityRows({ value, ...parts }) {
  if (value === undefined) return [];
  const rows = Object.entries(parts).map(([name, part]) =>
    row(name.replaceAll("_", " "), 0, part, part.toFixed(2)),
  );
  for (const part of rows) part.classList.add("part");
  const total = row("shot quality", 0, value, value.toFixed(2));
  return [total, ...rows];
}

function shareRow(label, share) {
  return row(label, 0, share, `${Math.round(100 * share)} %`);
}

/** A row with a bar between two places from 0 to 1; a signed one has a mark in the middle. */
function row(label, from, to, text, signed = false) {
  const [first, last] = [Math.min(from, to), Math.max(from, to)].map((at) => clip(at));
  const fill = make("i");
  fill.style.insetInlineStart = `${100 * first}%`;
  fill.style.inlineSize = `${100 * (last - first)}%`;
  const bar = make("span", { class: signed ? "bar signed" : "bar", "aria-hidden": "true" }, fill);
  const heading = make("th", { scope: "row" }, label);
  return make("tr", {}, heading, make("td", {}, bar), make("td", {}, text));
}

function clip(share) {
  return Math.min(1, Math.max(0, share));
}
