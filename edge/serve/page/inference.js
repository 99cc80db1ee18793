// Inference in this browser: the server's .onnx files run under onnxruntime-web, with the pipeline
// of edge/facekeypoints.py, edge/refinement.py and edge/networks/face_detector.py.

import {
  boxOfPose, compose, cropMatrix, fitSimilarity, invert, ioMin, rotationDeg, scaleOf, squareOfBox,
  transform,
} from "./geometry.js";
import { crop, resize, toGrey } from "./grey.js";
import { withoutDuplicates } from "./suppression.js";
import { cutTile, isCut, merge, tilesOf } from "./tiling.js";

const ORT = "/page/ort/";
// As in edge/refinement.py: a pass whose score falls further has lost the face.
const CERTAIN_SCORE = 0.5;
const MAX_SCORE_DROP = 2;
const MAX_FIRST_RUN_S = 10; // in which WebGPU translates its programs; a card is assumed to need far less

/** Open both networks; `settings` are those of /v1/model. WebGPU runs them where the server has its
 * runtime and the browser a graphics card for it; what fails there runs without. */
export async function openNetworks(settings) {
  if (settings.webgpu && (await navigator.gpu?.requestAdapter())) {
    try {
      const pipeline = await openWith("ort.webgpu.min.mjs", ["webgpu", "wasm"], settings);
      await withinLimit(pipeline.runOnce());
      return pipeline;
    } catch (error) {
      console.info(`WebGPU cannot run the networks, WebAssembly does: ${error.message}`);
    }
  }
  return openWith("ort.wasm.min.mjs", ["wasm"], settings);
}

/** Wait for a promise; an error if it takes too long, as on a processor that emulates the card. */
function withinLimit(promise) {
  const message = `the first run takes longer than ${MAX_FIRST_RUN_S} s`;
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error(message)), 1000 * MAX_FIRST_RUN_S);
  });
  return Promise.race([promise, late]);
}

/** Open both networks with a file of onnxruntime-web and its execution providers. */
async function openWith(file, executionProviders, settings) {
  const ort = await import(`${ORT}${file}`);
  ort.env.wasm.wasmPaths = new URL(ORT, location.href).href;
  ort.env.wasm.numThreads = 1; // more threads need a cross-origin isolated page
  const open = (name) =>
    ort.InferenceSession.create(`/models/${name}.onnx`, { executionProviders, logSeverityLevel: 3 });
  const detector = await open("face"); // WebGPU opens one session at a time
  return new Pipeline(ort, detector, await open("keypoints"), settings);
}

class Pipeline {
  constructor(ort, detector, keypointModel, settings) {
    Object.assign(this, { ort, detector, keypointModel, settings });
  }

  /** Find the faces of an ImageData: [{box, score, keypoints, error, points68}], and timings, ms;
   * `points68` is null unless asked for. */
  async find(pixels, points68) {
    const times = [performance.now()];
    const grey = toGrey(pixels);
    times.push(performance.now());
    const detections = await this.detect(grey);
    times.push(performance.now());
    const matrices = detections.map(({ box, roll }) =>
      cropMatrix(squareOfBox(box, this.settings.box), this.settings.crop, roll),
    );
    const predictions = await this.refine(grey, matrices, points68);
    times.push(performance.now());
    const faces = detections.map(({ box, score }, i) => ({
      box: this.fusedBox(box, predictions[i].keypoints),
      score: this.fusedScore(score, predictions[i].score),
      keypoints: predictions[i].keypoints,
      error: predictions[i].error,
      points68: predictions[i].points68,
    }));
    const timings = ["decode", "search", "look"].map((name, i) => [name, times[i + 1] - times[i]]);
    return { faces: this.select(faces), timings: Object.fromEntries(timings) };
  }

  /** Run both networks on a small black image. */
  async runOnce() {
    const side = 2 * this.settings.detector.step;
    const black = { width: side, height: side, data: new Uint8Array(side * side) };
    await this.search(black);
    await this.predict(black, [cropMatrix([0, 0, side, side], this.settings.crop)], false, false);
  }

  /** Boxes, scores and rolls of the detector, without suppressed ones, largest first. */
  async detect(grey) {
    const { min_score: minScore, detector } = this.settings;
    const candidates = (await this.searchTiles(grey, detector))
      // Candidates that can still reach the minimum score if the keypoint network's is 1.
      .filter(({ score }) => this.fusedScore(score, 1) >= minScore);
    return candidates
      .filter((candidate) => !candidates.some((other) => this.isSuppressed(candidate, other)))
      .sort(byAreaDescending);
  }

  /** Boxes, scores and rolls of the detector, in a panorama tile by tile. */
  async searchTiles(grey, { enlarge, tiling }) {
    const axis = Number(grey.height > grey.width);
    const [shorter, longer] = [grey.width, grey.height].sort((a, b) => a - b);
    const minLength = Math.ceil(this.settings.detect_size / enlarge);
    const tiles = tilesOf(longer, shorter, minLength, tiling);
    if (!tiles.length) return this.search(grey);
    const found = [];
    for (const tile of tiles) {
      for (const { score, roll, box } of await this.search(cutTile(grey, axis, tile))) {
        const moved = box.map((value, i) => (i === axis ? value + tile[0] : value));
        if (!isCut(moved, axis, tile, longer, tiling)) found.push({ score, roll, box: moved });
      }
    }
    return merge(found, tiling);
  }

  /** Boxes, scores and rolls of the detector in an image or a tile. */
  async search(grey) {
    const [width, height] = this.detectionSize(grey);
    const resized = resize(grey, width, height);
    const [rows, columns] = workingShape(height, width, this.settings.detector);
    const canvas = new Uint8Array(rows * columns);
    for (let y = 0; y < height; y++) {
      canvas.set(resized.data.subarray(y * width, (y + 1) * width), y * columns);
    }
    const image = new this.ort.Tensor("uint8", canvas, [1, rows, columns, 1]);
    const { boxes, scores, roll: rolls } = await this.detector.run({ image });
    const [scaleX, scaleY] = [grey.width / width, grey.height / height];
    return [...scores.data].map((score, i) => {
      const [x, y, w, h] = boxes.data.subarray(4 * i, 4 * i + 4);
      const corner = [(x + 0.5) * scaleX - 0.5, (y + 0.5) * scaleY - 0.5];
      const roll = rolls ? rolls.data[i] : 0; // older files have no roll
      return { score, roll, box: [...corner, w * scaleX, h * scaleY] };
    });
  }

  /** The size [width, height], px, at which faces are detected. */
  detectionSize(grey) {
    const { detect_size: detectSize, detector } = this.settings;
    const longer = Math.max(grey.height, grey.width);
    const isNear = Math.abs(longer - detectSize) <= detector.near * detectSize;
    const scale = isNear ? 1 : Math.min(detectSize / longer, detector.enlarge);
    return [grey.width, grey.height].map((side) => Math.max(1, roundHalfEven(side * scale)));
  }

  /** The weighted geometric mean of the scores of both networks. */
  fusedScore(detectorScore, networkScore) {
    const exponent = this.settings.joint.detector_score;
    return detectorScore ** exponent * networkScore ** (1 - exponent);
  }

  /** The weighted mean of the detector's box and the box of the keypoints. */
  fusedBox(box, keypoints) {
    const { mean_face: meanFace, box: proportions, joint } = this.settings;
    const pose = fitSimilarity(meanFace.points, keypoints);
    if (!pose) return box;
    const keypointsBox = boxOfPose(pose, meanFace.side, proportions);
    return box.map((value, i) => value + joint.keypoints_box * (keypointsBox[i] - value));
  }

  /** Whether a candidate is a duplicate of another with a far higher score. */
  isSuppressed(candidate, other) {
    const { max_shared: duplicateIoMin, unsure: suppressRatio } = this.settings;
    return (
      candidate.score < suppressRatio * other.score &&
      ioMin(candidate.box, other.box) > duplicateIoMin
    );
  }

  /** Predict keypoints in several passes, every second one of mirror images; as `refine` there. */
  async refine(grey, matrices, points68) {
    const { most: maxPasses, fused_limits: fusedLimits } = this.settings.looks;
    const faces = await this.predict(grey, matrices, points68, false);
    let active = faces.map((_, i) => i);
    for (let pass = 1; pass < maxPasses && active.length; pass++) {
      const pending = active.filter((i) => this.nextMatrix(faces[i]));
      const recrops = pending.map((i) => this.nextMatrix(faces[i]));
      const predictions = await this.predict(grey, recrops, points68, pass % 2 === 1);
      active = [];
      pending.forEach((i, k) => {
        const [last, next] = [faces[i], predictions[k]];
        if (next.score < Math.min(last.score, CERTAIN_SCORE) / MAX_SCORE_DROP) return;
        if (this.framesWell(last.matrix, next, fusedLimits)) {
          faces[i] = meanOf(last, next);
        } else {
          faces[i] = { ...next, score: Math.max(next.score, last.score) };
          active.push(i);
        }
      });
    }
    return faces;
  }

  /** Run the keypoint network once on the crops of the given matrices, or on their mirror images. */
  async predict(grey, matrices, points68, isMirrored) {
    const { crop: size, keypoint_names: names } = this.settings;
    if (!matrices.length) return [];
    const data = new Uint8Array(matrices.length * size * size);
    matrices.forEach((matrix, i) => data.set(crop(grey, matrix, size), i * size * size));
    if (isMirrored) {
      for (let row = 0; row < data.length; row += size) data.subarray(row, row + size).reverse();
    }
    const face = new this.ort.Tensor("uint8", data, [matrices.length, size, size, 1]);
    const outputs = ["keypoints", "error", "face_score", ...(points68 ? ["points68"] : [])];
    const results = await this.keypointModel.run({ face }, outputs);
    const { keypoints, error, face_score: score } = results;
    const order = this.settings.measures.mirror_order;
    const order68 = this.settings.looks.mirror_order_68;
    const errors = names.map((_, k) => (isMirrored ? order[k] : k));
    return matrices.map((matrix, i) => {
      const toImage = invert(matrix);
      const pointsOf = (tensor, mirrorOrder) =>
        pointsIn(tensor, i, isMirrored ? { order: mirrorOrder, size } : null, toImage);
      return {
        matrix,
        score: score.data[i],
        keypoints: pointsOf(keypoints, order),
        points68: points68 ? pointsOf(results.points68, order68) : null,
        error: errors.map((k) => error.data[i * names.length + k] / scaleOf(matrix)),
      };
    });
  }

  /** The matrix of the upright crop for a further pass; null for no face, or one that is certain. */
  nextMatrix(face) {
    const { looks: limits, mean_face: meanFace, crop: size } = this.settings;
    const pose = fitSimilarity(meanFace.points, face.keypoints);
    if (!pose || face.score < limits.min_score) return null;
    const meanError = face.error.reduce((sum, radius) => sum + radius, 0) / face.error.length;
    const isSure = meanError * scaleOf(face.matrix) <= limits.sure_error * size;
    if (isSure && this.framesWell(face.matrix, face, 1)) return null;
    return compose(cropMatrix([0, 0, meanFace.side], size), invert(pose));
  }

  /** Whether a crop shows a face upright, centred and at the right scale. */
  framesWell(matrix, face, factor) {
    const { looks: limits, mean_face: meanFace, crop: size } = this.settings;
    const pose = fitSimilarity(meanFace.points, face.keypoints);
    if (!pose) return false;
    const poseInCrop = compose(matrix, pose);
    const centre = (meanFace.side - 1) / 2;
    const [x, y] = transform(poseInCrop, [centre, centre]);
    const scale = (scaleOf(poseInCrop) * meanFace.side) / size;
    return (
      Math.abs(rotationDeg(poseInCrop)) <= factor * limits.max_tilt_deg &&
      Math.abs(Math.log(scale)) <= factor * limits.max_log_scale &&
      Math.hypot(x - (size - 1) / 2, y - (size - 1) / 2) <= factor * limits.max_shift * size
    );
  }

  /** Suppression of duplicates, the minimum score and the maximum count; largest first. */
  select(faces) {
    const { min_score: minScore, max_faces: maxFaces } = this.settings;
    const certain = faces.filter(({ score }) => score >= minScore);
    return withoutDuplicates(certain, this.settings).slice(0, maxFaces ?? undefined);
  }
}

/** The points of one face from a tensor (N, K, 2), in px of the image; `mirror` is null, or the order
 * of the points and the side of the crop whose mirror image the network saw. */
function pointsIn({ data, dims: [, count] }, face, mirror, toImage) {
  return Array.from({ length: count }, (_, k) => {
    const index = 2 * (face * count + (mirror ? mirror.order[k] : k));
    const x = mirror ? mirror.size - 1 - data[index] : data[index];
    return transform(toImage, [x, data[index + 1]]);
  });
}

/** The second of two predictions, with the mean of the points and errors and the lower score. */
function meanOf(first, second) {
  const mean = (one, other) =>
    Array.isArray(one) ? one.map((value, i) => mean(value, other[i])) : (one + other) / 2;
  return {
    ...second,
    score: Math.min(first.score, second.score),
    keypoints: mean(first.keypoints, second.keypoints),
    points68: second.points68 && mean(first.points68, second.points68),
    error: mean(first.error, second.error),
  };
}

function byAreaDescending(first, second) {
  return second.box[2] * second.box[3] - first.box[2] * first.box[3];
}

/** The input shape of the detector, as in `edge.networks.face_detector.working_shape`. */
function workingShape(height, width, { step, shorter: fractions }) {
  const roundUp = (length) => Math.ceil(length / step) * step;
  const longer = roundUp(Math.max(height, width));
  const shorter = fractions
    .map((fraction) => roundUp(longer * fraction))
    .find((side) => side >= Math.min(height, width));
  return height > width ? [longer, shorter] : [shorter, longer];
}

/** Round as Python does. */
function roundHalfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}
