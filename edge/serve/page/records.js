// Results in the formats of edge/records.py: the JSON record of an image, and CSV.

import { measure } from "./measures.js";

const round = (value, digits) => Number(value.toFixed(digits));

/** The record of an image whose faces were detected in this browser. */
export function toRecord(image, width, height, faces, settings) {
  return { image, width, height, faces: faces.map((face, id) => faceRecord(face, id, settings)) };
}

function faceRecord({ box, score, keypoints, error }, id, settings) {
  const points = settings.keypoint_names.map((name, k) => {
    const [x, y] = keypoints[k];
    return [name, { x: round(x, 2), y: round(y, 2), error: round(error[k], 2) }];
  });
  const measures = Object.entries(measure(keypoints, error, settings)).map(([name, measured]) => {
    const digits = /_(px|deg)$/.test(name) ? 2 : 4;
    return [name, { value: round(measured.value, digits), error: round(measured.error, digits) }];
  });
  return {
    id,
    box: box.map((value) => round(value, 2)),
    score: round(score, 4),
    keypoints: Object.fromEntries(points),
    measures: Object.fromEntries(measures),
  };
}

/** CSV with one row per face and the column names of Kaggle, as `--csv` writes it. */
export function toCsv(records, names) {
  const header = [
    "image", "frame", "face", "score", "box_x", "box_y", "box_w", "box_h",
    ...names.flatMap((name) => [`${name}_x`, `${name}_y`]),
    ...names.map((name) => `${name}_error`),
  ];
  const rows = records.flatMap(({ image, frame = 0, faces }) =>
    faces.map(({ id, score, box, keypoints }) => [
      quote(image), frame, id, score, ...box,
      ...names.flatMap((name) => [keypoints[name].x, keypoints[name].y]),
      ...names.map((name) => keypoints[name].error),
    ]),
  );
  return [header, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

function quote(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
