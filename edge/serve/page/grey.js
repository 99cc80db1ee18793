// Grey pictures {width, height, data}, and what edge/image.py, edge/resize.py and edge/crop.py
// do with them: resampling with a triangle filter as wide as the shrinking asks for, 8 bits after
// either axis.

import { compose, invert, scaleOf, transform } from "./geometry.js";

const TURN_EPSILON = 1e-9;

/** Luma of ITU-R BT.601 of RGBA pixels, in the whole numbers that Pillow uses. */
export function toGrey({ width, height, data }) {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const at = 4 * i;
    grey[i] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 32768) >> 16;
  }
  return { width, height, data: grey };
}

/** Weights with which pixels of a line from `start` to `stop` make `count` new ones. */
function weigh(length, start, stop, count) {
  const scale = (stop - start) / count;
  const reach = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const centre = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(length, Math.trunc(centre + reach + 0.5));
    const weights = [];
    for (let k = first; k < last; k++) {
      weights.push(Math.max(0, 1 - Math.abs(k + 0.5 - centre) / reach));
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resize a picture; as `edge.resize.resize`, by the mean of whole pixels where it can be. */
export function resize(picture, width, height) {
  const by = Math.floor(picture.height / height);
  if (by > 1 && by * height === picture.height && by * width === picture.width) {
    return shrink(picture, by);
  }
  return resample(picture, [0, 0, picture.width, picture.height], width, height);
}

/** The mean of each `by`×`by` pixels. */
function shrink(picture, by) {
  const [width, height] = [picture.width / by, picture.height / by];
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const corner = Math.floor(i / width) * by * picture.width + (i % width) * by;
    let sum = 0;
    for (let y = 0; y < by; y++) {
      for (let x = 0; x < by; x++) sum += picture.data[corner + y * picture.width + x];
    }
    data[i] = Math.round(sum / by ** 2);
  }
  return { width, height, data };
}

/** Resize the part [left, top, right, bottom] of a picture, edges in px, to a new size. */
function resample(picture, [left, top, right, bottom], width, height) {
  const across = weigh(picture.width, left, right, width);
  const down = weigh(picture.height, top, bottom, height);
  const from = down[0].first;
  const lastRow = down[height - 1];
  const rows = lastRow.first + lastRow.weights.length - from;
  const narrow = new Uint8Array(width * rows);
  for (let y = 0; y < rows; y++) {
    const line = (from + y) * picture.width;
    for (let x = 0; x < width; x++) {
      const { first, weights } = across[x];
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * picture.data[line + first + k];
      narrow[y * width + x] = Math.round(sum);
    }
  }
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) {
        sum += weights[k] * narrow[(first + k - from) * width + x];
      }
      data[y * width + x] = Math.round(sum);
    }
  }
  return { width, height, data };
}

/** Cut out what an upright matrix maps to `width`×`height` px; the border is repeated outside. */
function cutUpright(grey, matrix, width, height) {
  const [a, , x, , d, y] = matrix;
  const start = [(-0.5 - x) / a + 0.5, (-0.5 - y) / d + 0.5];
  const stop = [(width - 0.5 - x) / a + 0.5, (height - 0.5 - y) / d + 0.5];
  const reach = [a, d].map((scale) => Math.max(1, 1 / scale) + 1);
  const low = start.map((value, axis) => Math.floor(value - reach[axis]));
  const high = stop.map((value, axis) => Math.ceil(value + reach[axis]));
  const window = repeatBorder(grey, low, high);
  const box = [start[0] - low[0], start[1] - low[1], stop[0] - low[0], stop[1] - low[1]];
  return resample(window, box, width, height);
}

function repeatBorder(grey, low, high) {
  const [width, height] = [high[0] - low[0], high[1] - low[1]];
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(Math.max(low[1] + y, 0), grey.height - 1) * grey.width;
    for (let x = 0; x < width; x++) {
      data[y * width + x] = grey.data[row + Math.min(Math.max(low[0] + x, 0), grey.width - 1)];
    }
  }
  return { width, height, data };
}

/** Cut a `size`×`size` px crop out of a picture, by the matrix from the picture to it. */
export function cut(grey, matrix, size) {
  const upright = Math.abs(matrix[1]) + Math.abs(matrix[3]) < TURN_EPSILON;
  if (upright && matrix[0] > 0 && matrix[4] > 0) return cutUpright(grey, matrix, size, size).data;
  // An upright frame of the crop's scale that holds all four corners of the turned crop.
  const back = invert(matrix);
  const scale = scaleOf(matrix);
  const corners = [[-1, -1], [size, -1], [-1, size], [size, size]].map((p) => transform(back, p));
  const [low, high] = [Math.min, Math.max].map((pick) =>
    [0, 1].map((axis) => pick(...corners.map((corner) => corner[axis])) * scale),
  );
  const frameMatrix = [scale, 0, -low[0], 0, scale, -low[1]];
  const [width, height] = [0, 1].map((axis) => Math.ceil(high[axis] - low[axis]) + 1);
  const frame = cutUpright(grey, frameMatrix, width, height);
  return turn(frame, compose(frameMatrix, back), size);
}

/** Sample a picture, bilinearly, where a matrix from the crop leads. */
function turn(frame, matrix, size) {
  const data = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [px, py] = transform(matrix, [x, y]);
      const [left, top] = [Math.floor(px), Math.floor(py)];
      const pixel = (column, row) =>
        frame.data[
          Math.min(Math.max(row, 0), frame.height - 1) * frame.width +
            Math.min(Math.max(column, 0), frame.width - 1)
        ];
      const [u, v] = [px - left, py - top];
      const upper = pixel(left, top) * (1 - u) + pixel(left + 1, top) * u;
      const lower = pixel(left, top + 1) * (1 - u) + pixel(left + 1, top + 1) * u;
      data[y * size + x] = Math.trunc(upper * (1 - v) + lower * v);
    }
  }
  return data;
}
