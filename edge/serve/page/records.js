// Results in the formats of edge/records.py: the JSON record of an image, and CSV.

import { measure } from "./measures.js";

const round = (value, digits) => Number(value.toFixed(digits));

/** The record of an image whose faces were detected in this browser. */
export function toRecord(image, width, height, faces, settings) {
  const records = faces.map((face, id) => faceRecord(face, id, [width, height], settings));
  return { image, width, height, faces: records };
}

function faceRecord({ box, score, keypoints, error, points68 }, id, size, settings) {
  const { error90 } = settings;
  const points = settings.keypoint_names.map((name, k) => {
    const [x, y] = keypoints[k];
    const radius90 = error90 ? { error90: round(error[k] * error90[k], 2) } : {};
    return [name, { x: round(x, 2), y: round(y, 2), error: round(error[k], 2), ...radius90 }];
  });
  const measured = Object.entries(measure(keypoints, error, size, settings));
  const measures = measured.map(([name, { value, error }]) => {
    const digits = /_(px|deg)$/.test(name) ? 2 : 4;
    return [name, { value: round(value, digits), error: round(error, digits) }];
  });
  return {
    id,
    box: box.map((value) => round(value, 2)),
    score: round(score, 4),
    keypoints: Object.fromEntries(points),
    ...(points68 ? { points68: points68.map(([x, y]) => [round(x, 2), round(y, 2)]) } : {}),
    measures: Object.fromEntries(measures),
  };
}

/** CSV with one row per face and the column names of Kaggle, as `--csv` writes it; with columns of
 * the 68 points, of quality, of states and of hidden keypoints if a face has them. */
export function toCsv(records, { keypoint_names: names, states }) {
  const all = records.flatMap(({ faces }) => faces);
  const hasPoints68 = all.some(({ points68 }) => points68);
  const points68Of = (face) => (hasPoints68 ? face.points68?.flat() ?? Array(2 * 68).fill("") : []);
  const assessed = [
    ...(all.some(({ quality }) => quality) ? qualityColumns(states) : []),
    ...(all.some(({ state }) => state) ? stateColumns(states) : []),
    ...(all.some(({ visible }) => visible) ? visibleColumns(names) : []),
  ];
  const header = [
    "image", "frame", "face", "score", "box_x", "box_y", "box_w", "box_h",
    ...names.flatMap((name) => [`${name}_x`, `${name}_y`]),
    ...names.map((name) => `${name}_error`),
    ...(hasPoints68 ? Array.from({ length: 68 }, (_, i) => [`p68_${i}_x`, `p68_${i}_y`]).flat() : []),
    "time",
    ...assessed.map(([column]) => column),
  ];
  const rows = records.flatMap(({ image, frame = 0, time = "", faces }) =>
    faces.map((face) => [
      quote(image), frame, face.id, face.score, ...face.box,
      ...names.flatMap((name) => [face.keypoints[name].x, face.keypoints[name].y]),
      ...names.map((name) => face.keypoints[name].error),
      ...points68Of(face),
      time,
      ...assessed.map(([, valueOf]) => valueOf(face) ?? ""),
    ]),
  );
  return [header, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

/** The columns of shots: name, and what a face has there. */
function qualityColumns({ quality }) {
  return ["value", ...quality].map((name) => [
    name === "value" ? "quality" : `quality_${name}`, (face) => face.quality?.[name],
  ]);
}

function stateColumns({ measures, shares }) {
  return [
    ...measures.flatMap((name) => [
      [name, (face) => face.state?.[name]?.value], [`${name}_error`, (face) => face.state?.[name]?.error],
    ]),
    ...shares.map((name) => [name, (face) => face.state?.[name]]),
  ];
}

function visibleColumns(names) {
  return names.map((name) => [`${name}_visible`, (face) => face.visible?.[name]]);
}

function quote(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
