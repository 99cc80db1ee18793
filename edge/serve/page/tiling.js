// Tiles in which panoramas and strips are searched, as in edge/networks/tiling.py.

import { ioMin } from "./geometry.js";

/** The tiles [start, length] of an image along its longer side; none if it is searched as a whole. */
export function tilesOf(longer, shorter, minLength, settings) {
  const length = Math.max(shorter, minLength);
  const isShort = longer <= settings.max_aspect * length;
  if (isShort || shorter < settings.smallest_face * length) return [];
  return [
    ...row(longer, length, settings.short_overlap),
    ...row(longer, 2 * length, settings.long_overlap),
  ];
}

function row(longer, length, overlap) {
  const count = Math.ceil((longer - length) / ((1 - overlap) * length)) + 1;
  const step = (longer - length) / (count - 1);
  return Array.from({ length: count }, (_, i) => [Math.floor(i * step), length]);
}

/** The part of a grey image from `start` along an axis, 0 for x. */
export function cutTile({ width, height, data }, axis, [start, length]) {
  if (axis === 1) {
    return { width, height: length, data: data.subarray(start * width, (start + length) * width) };
  }
  const part = new Uint8Array(length * height);
  for (let y = 0; y < height; y++) {
    part.set(data.subarray(y * width + start, y * width + start + length), y * length);
  }
  return { width: length, height, data: part };
}

/** Whether a box reaches the border of a tile within the image. */
export function isCut(box, axis, [start, length], longer, { edge }) {
  const margin = edge * length;
  const [low, high] = [box[axis], box[axis] + box[axis + 2]];
  if (start > 0 && low < start + margin) return true;
  return start + length < longer && high > start + length - margin;
}

/** The candidates of all tiles, the highest score first, without those found twice. */
export function merge(candidates, { max_iou: maxIou }) {
  const kept = [];
  for (const candidate of [...candidates].sort((first, second) => second.score - first.score)) {
    if (!kept.some(({ box }) => iou(candidate.box, box) > maxIou)) kept.push(candidate);
  }
  return kept;
}

function iou(first, second) {
  const [area, otherArea] = [first, second].map(([, , width, height]) => width * height);
  const intersection = ioMin(first, second) * Math.min(area, otherArea);
  return intersection / (area + otherArea - intersection);
}
