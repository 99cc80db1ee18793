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

/** Open both networks; `settings` are those of /v1/model. */
export async function openNetworks(settings) {
  const ort = await import(`${ORT}ort.wasm.min.mjs`);
  ort.env.wasm.wasmPaths = new URL(ORT, location.href).href;
  ort.env.wasm.numThreads = 1; // more threads need a cross-origin isolated page
  const [detector, keypointModel] = await Promise.all(
    ["face", "keypoints"].map((name) => ort.InferenceSession.create(`/models/${name}.onnx`)),
  );
  return new Pipeline(ort, detector, keypointModel, settings);
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
    const matrices = detections.map(({ box }) =>
      cropMatrix(squareOfBox(box, this.settings.box), this.settings.crop),
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

  /** Boxes and scores of the detector, without suppressed ones, largest first. */
  async detect(grey) {
    const { min_score: minScore, detector } = this.settings;
    const candidates = (await this.searchTiles(grey, detector))
      // Candidates that can still reach the minimum score if the keypoint network's is 1.
      .filter(({ score }) => this.fusedScore(score, 1) >= minScore);
    return candidates
      .filter((candidate) => !candidates.some((other) => this.isSuppressed(candidate, other)))
      .sort(byAreaDescending);
  }

  /** Boxes and scores of the detector, in a panorama tile by tile. */
  async searchTiles(grey, { enlarge, tiling }) {
    const axis = Number(grey.height > grey.width);
    const [shorter, longer] = [grey.width, grey.height].sort((a, b) => a - b);
    const minLength = Math.ceil(this.settings.detect_size / enlarge);
    const tiles = tilesOf(longer, shorter, minLength, tiling);
    if (!tiles.length) return this.search(grey);
    const found = [];
    for (const tile of tiles) {
      for (const { score, box } of await this.search(cutTile(grey, axis, tile))) {
        const moved = box.map((value, i) => (i === axis ? value + tile[0] : value));
        if (!isCut(moved, axis, tile, longer, tiling)) found.push({ score, box: moved });
      }
    }
    return merge(found, tiling);
  }

  /** Boxes and scores of the detector in an image or a tile. */
  async search(grey) {
    const [width, height] = this.detectionSize(grey);
    const resized = resize(grey, width, height);
    const [rows, columns] = workingShape(height, width, this.settings.detector);
    const canvas = new Uint8Array(rows * columns);
    for (let y = 0; y < height; y++) {
      canvas.set(resized.data.subarray(y * width, (y + 1) * width), y * columns);
    }
    const image = new this.ort.Tensor("uint8", canvas, [1, rows, columns, 1]);
    const { boxes, scores } = await this.detector.run({ image });
    const [scaleX, scaleY] = [grey.width / width, grey.height / height];
    return [...scores.data].map((score, i) => {
      const [x, y, w, h] = boxes.data.subarray(4 * i, 4 * i + 4);
      const corner = [(x + 0.5) * scaleX - 0.5, (y + 0.5) * scaleY - 0.5];
      return { score, box: [...corner, w * scaleX, h * scaleY] };
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

  /** Predict keypoints, with further passes for faces that their crops do not frame well. */
  async refine(grey, matrices, points68) {
    const { most: maxPasses } = this.settings.looks;
    const faces = await this.predict(grey, matrices, points68);
    let pending = new Map(matrices.map((matrix, i) => [i, matrix]));
    for (let pass = 1; pass < maxPasses && pending.size; pass++) {
      const recrops = [...pending]
        .map(([i, matrix]) => [i, this.nextMatrix(faces[i], matrix)])
        .filter(([, matrix]) => matrix);
      const recropped = recrops.map(([, matrix]) => matrix);
      const predictions = await this.predict(grey, recropped, points68);
      pending = new Map();
      recrops.forEach(([i, matrix], k) => {
        const minScore = Math.min(faces[i].score, CERTAIN_SCORE) / MAX_SCORE_DROP;
        if (predictions[k].score < minScore) return;
        faces[i] = { ...predictions[k], score: Math.max(predictions[k].score, faces[i].score) };
        pending.set(i, matrix);
      });
    }
    return faces;
  }

  /** Run the keypoint network once on the crops of the given matrices. */
  async predict(grey, matrices, points68) {
    const { crop: size, keypoint_names: names } = this.settings;
    if (!matrices.length) return [];
    const data = new Uint8Array(matrices.length * size * size);
    matrices.forEach((matrix, i) => data.set(crop(grey, matrix, size), i * size * size));
    const face = new this.ort.Tensor("uint8", data, [matrices.length, size, size, 1]);
    const outputs = ["keypoints", "error", "face_score", ...(points68 ? ["points68"] : [])];
    const results = await this.keypointModel.run({ face }, outputs);
    const { keypoints, error, face_score: score } = results;
    return matrices.map((matrix, i) => {
      const toImage = invert(matrix);
      return {
        score: score.data[i],
        keypoints: pointsOf(keypoints, i, toImage),
        points68: points68 ? pointsOf(results.points68, i, toImage) : null,
        error: names.map((_, k) => error.data[i * names.length + k] / scaleOf(matrix)),
      };
    });
  }

  /** The matrix of the crop for a further pass; null if the last crop framed the face well. */
  nextMatrix(face, matrix) {
    const { looks: limits, mean_face: meanFace, crop: size } = this.settings;
    const pose = fitSimilarity(meanFace.points, face.keypoints);
    if (!pose || face.score < limits.min_score) return null;
    const poseInCrop = compose(matrix, pose);
    const centre = (meanFace.side - 1) / 2;
    const [x, y] = transform(poseInCrop, [centre, centre]);
    const scale = (scaleOf(poseInCrop) * meanFace.side) / size;
    const isWellFramed =
      Math.abs(rotationDeg(poseInCrop)) <= limits.max_tilt_deg &&
      Math.abs(Math.log(scale)) <= limits.max_log_scale &&
      Math.hypot(x - (size - 1) / 2, y - (size - 1) / 2) <= limits.max_shift * size;
    if (isWellFramed) return null;
    return compose(cropMatrix([0, 0, meanFace.side], size), invert(pose));
  }

  /** Suppression of duplicates, the minimum score and the maximum count; largest first. */
  select(faces) {
    const { min_score: minScore, max_faces: maxFaces } = this.settings;
    const certain = faces.filter(({ score }) => score >= minScore);
    return withoutDuplicates(certain, this.settings).slice(0, maxFaces ?? undefined);
  }
}

/** The points of one face from a tensor (N, K, 2), in px of the image. */
function pointsOf({ data, dims: [, count] }, face, toImage) {
  return Array.from({ length: count }, (_, k) => {
    const index = 2 * (face * count + k);
    return transform(toImage, [data[index], data[index + 1]]);
  });
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
