// Grey images {width, height, data}: conversion, resizing and cropping, as in edge/image.py,
// edge/resize.py and edge/crop.py. Resampling uses a triangle filter whose support grows with the
// reduction, and rounds to 8 bits after each axis; rotated crops are sampled from block means.

import { compose, invert, scaleOf, transform } from "./geometry.js";

const ROTATION_EPSILON = 1e-9;

/** Luma of ITU-R BT.601 of RGBA pixels, in the integer arithmetic of Pillow. */
export function toGrey({ width, height, data }) {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const at = 4 * i;
    grey[i] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 32768) >> 16;
  }
  return { width, height, data: grey };
}

/** Filter weights that resample the part from `start` to `stop` of a line to `count` pixels. */
function filterWeights(length, start, stop, count) {
  const scale = (stop - start) / count;
  const support = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const centre = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(length, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let k = first; k < last; k++) {
      weights.push(Math.max(0, 1 - Math.abs(k + 0.5 - centre) / support));
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resize an image; reductions by a whole factor are block means, as in `edge.resize.resize`. */
export function resize(image, width, height) {
  const factor = Math.floor(image.height / height);
  const isExact = factor * height === image.height && factor * width === image.width;
  if (factor > 1 && isExact) {
    return blockMean(image, factor);
  }
  return resample(image, [0, 0, image.width, image.height], width, height);
}

/** The mean of each block of `factor`×`factor` pixels. */
function blockMean(image, factor) {
  const [width, height] = [image.width / factor, image.height / factor];
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const corner = Math.floor(i / width) * factor * image.width + (i % width) * factor;
    let sum = 0;
    for (let y = 0; y < factor; y++) {
      for (let x = 0; x < factor; x++) sum += image.data[corner + y * image.width + x];
    }
    data[i] = Math.round(sum / factor ** 2);
  }
  return { width, height, data };
}

/** Resample the region [left, top, right, bottom] of an image, edges in px, to a new size. */
function resample(image, [left, top, right, bottom], width, height) {
  const horizontal = filterWeights(image.width, left, right, width);
  const vertical = filterWeights(image.height, top, bottom, height);
  const firstRow = vertical[0].first;
  const bottomWeights = vertical[height - 1];
  const rows = bottomWeights.first + bottomWeights.weights.length - firstRow;
  const partial = new Uint8Array(width * rows);
  for (let y = 0; y < rows; y++) {
    const line = (firstRow + y) * image.width;
    for (let x = 0; x < width; x++) {
      const { first, weights } = horizontal[x];
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * image.data[line + first + k];
      partial[y * width + x] = Math.round(sum);
    }
  }
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = vertical[y];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) {
        sum += weights[k] * partial[(first + k - firstRow) * width + x];
      }
      data[y * width + x] = Math.round(sum);
    }
  }
  return { width, height, data };
}

/** Crop by a matrix without rotation to `width`×`height` px; border pixels are replicated. */
function cropUpright(grey, matrix, width, height) {
  const [a, , x, , d, y] = matrix;
  const start = [(-0.5 - x) / a + 0.5, (-0.5 - y) / d + 0.5];
  const stop = [(width - 0.5 - x) / a + 0.5, (height - 0.5 - y) / d + 0.5];
  const margin = [a, d].map((scale) => Math.max(1, 1 / scale) + 1);
  const low = start.map((value, axis) => Math.floor(value - margin[axis]));
  const high = stop.map((value, axis) => Math.ceil(value + margin[axis]));
  const window = replicateBorder(grey, low, high);
  const box = [start[0] - low[0], start[1] - low[1], stop[0] - low[0], stop[1] - low[1]];
  return resample(window, box, width, height);
}

function replicateBorder(grey, low, high) {
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

/** Crop a face to `size`×`size` px, by the matrix from the image to the crop, as `cut_face`. */
export function crop(grey, matrix, size) {
  const upright = Math.abs(matrix[1]) + Math.abs(matrix[3]) < ROTATION_EPSILON;
  if (upright && matrix[0] > 0 && matrix[4] > 0) return cropUpright(grey, matrix, size, size).data;
  const back = invert(matrix);
  const factor = Math.max(1, Math.round(1 / scaleOf(matrix)));
  const centre = (factor - 1) / 2; // of a block, from its first pixel
  const corners = [[-1, -1], [size, -1], [-1, size], [size, size]].map((p) => transform(back, p));
  const [least, most] = [Math.min, Math.max].map((limit) =>
    [0, 1].map((axis) => limit(...corners.map((corner) => corner[axis]))),
  );
  const low = least.map((start) => Math.floor(start - centre));
  // Whole blocks, up to the one after that of the last place.
  const high = low.map(
    (first, axis) => first + factor * (Math.floor((most[axis] - first - centre) / factor) + 2),
  );
  const blocks = blockMean(replicateBorder(grey, low, high), factor);
  const [x, y] = low.map((first) => -(first + centre) / factor);
  return warp(blocks, compose([1 / factor, 0, x, 0, 1 / factor, y], back), size);
}

/** Warp an image to a crop with bilinear interpolation, by the matrix from the crop to it. */
function warp(frame, matrix, size) {
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
