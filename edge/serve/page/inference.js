// The networks in this browser: the same .onnx files as on the server, under onnxruntime-web, with
// the same crops and looks as edge/networks/face_detector.py, edge/refinement.py and edge/facekeypoints.py.

import {
  boxOf, compose, cropMatrix, invert, layOver, scaleOf, sharedPart, squareAround, transform, turnOf,
} from "./geometry.js";
import { cut, resize, toGrey } from "./grey.js";

const ORT = "/page/ort/";

/** Open both networks; `settings` are those of /v1/model. */
export async function openNetworks(settings) {
  const ort = await import(`${ORT}ort.wasm.min.mjs`);
  ort.env.wasm.wasmPaths = new URL(ORT, location.href).href;
  ort.env.wasm.numThreads = 1; // more would need a page that is isolated from all others
  const [detector, keypoints] = await Promise.all(
    ["face", "keypoints"].map((name) => ort.InferenceSession.create(`/models/${name}.onnx`)),
  );
  return new Networks(ort, detector, keypoints, settings);
}

class Networks {
  constructor(ort, detector, keypoints, settings) {
    Object.assign(this, { ort, detector, keypoints, settings });
  }

  /** Find the faces of a picture, ImageData: [{box, score, keypoints, error}] and timings, ms. */
  async find(pixels) {
    const times = [performance.now()];
    const grey = toGrey(pixels);
    times.push(performance.now());
    const found = await this.search(grey);
    times.push(performance.now());
    const matrices = found.map(({ box }) =>
      cropMatrix(squareAround(box, this.settings.box), this.settings.crop),
    );
    const seen = await this.look(grey, matrices);
    times.push(performance.now());
    const faces = found.map(({ box, score }, i) => ({
      box: this.jointBox(box, seen[i].keypoints),
      score: this.jointScore(score, seen[i].score),
      keypoints: seen[i].keypoints,
      error: seen[i].error,
    }));
    const timings = ["decode", "search", "look"].map((name, i) => [name, times[i + 1] - times[i]]);
    return { faces: this.keep(faces), timings: Object.fromEntries(timings) };
  }

  /** Boxes and scores of the detector, the largest first. */
  async search(grey) {
    const { detect_size: longest, detector, min_score: least } = this.settings;
    const longer = Math.max(grey.height, grey.width);
    const near = Math.abs(longer - longest) <= detector.near * longest;
    const scale = near ? 1 : Math.min(longest / longer, detector.enlarge);
    const [height, width] = [grey.height, grey.width].map((side) =>
      Math.max(1, roundHalfEven(side * scale)),
    );
    const small = resize(grey, width, height);
    const [rows, columns] = workingShape(height, width, detector);
    const canvas = new Uint8Array(rows * columns);
    for (let y = 0; y < height; y++) {
      canvas.set(small.data.subarray(y * width, (y + 1) * width), y * columns);
    }
    const image = new this.ort.Tensor("uint8", canvas, [1, rows, columns, 1]);
    const { boxes, scores } = await this.detector.run({ image });
    const [fx, fy] = [grey.width / width, grey.height / height];
    const likely = [...scores.data]
      .map((score, i) => {
        const [x, y, w, h] = boxes.data.subarray(4 * i, 4 * i + 4);
        return { score, box: [(x + 0.5) * fx - 0.5, (y + 0.5) * fy - 0.5, w * fx, h * fy] };
      })
      .filter(({ score }) => this.jointScore(score, 1) >= least);
    return likely
      .filter((one) => !likely.some((other) => this.isHidden(one, other)))
      .sort(largestFirst);
  }

  /** The weighted geometric mean of both networks' scores. */
  jointScore(detector, network) {
    const power = this.settings.joint.detector_score;
    return detector ** power * network ** (1 - power);
  }

  /** The weighted mean of the detector's box and the keypoints'. */
  jointBox(box, keypoints) {
    const { mean_face: mean, box: sides, joint } = this.settings;
    const lying = layOver(mean.points, keypoints);
    if (!lying) return box;
    const other = boxOf(lying, mean.side, sides);
    return box.map((value, i) => value + joint.keypoints_box * (other[i] - value));
  }

  /** Whether one frames a part of a face that the other has found far more surely. */
  isHidden(one, other) {
    const { max_shared: most, unsure } = this.settings;
    return one.score < unsure * other.score && sharedPart(one.box, other.box) > most;
  }

  /** Look at faces, and again at those that lie badly in their crops. */
  async look(grey, matrices) {
    const found = await this.lookOnce(grey, matrices);
    let lying = new Map(matrices.map((matrix, i) => [i, matrix]));
    for (let turn = 1; turn < this.settings.looks.most && lying.size; turn++) {
      const again = [...lying]
        .map(([i, matrix]) => [i, this.closer(found[i], matrix)])
        .filter(([, matrix]) => matrix);
      const seen = await this.lookOnce(grey, again.map(([, matrix]) => matrix));
      lying = new Map();
      again.forEach(([i, matrix], k) => {
        if (seen[k].score < Math.min(found[i].score, 0.5) / 2) return;
        found[i] = { ...seen[k], score: Math.max(seen[k].score, found[i].score) };
        lying.set(i, matrix);
      });
    }
    return found;
  }

  async lookOnce(grey, matrices) {
    const { crop: size, keypoint_names: names } = this.settings;
    if (!matrices.length) return [];
    const data = new Uint8Array(matrices.length * size * size);
    matrices.forEach((matrix, i) => data.set(cut(grey, matrix, size), i * size * size));
    const face = new this.ort.Tensor("uint8", data, [matrices.length, size, size, 1]);
    const { keypoints, error, face_score: score } = await this.keypoints.run({ face });
    return matrices.map((matrix, i) => {
      const back = invert(matrix);
      const at = (k) => 2 * (i * names.length + k);
      return {
        score: score.data[i],
        keypoints: names.map((_, k) =>
          transform(back, [keypoints.data[at(k)], keypoints.data[at(k) + 1]]),
        ),
        error: names.map((_, k) => error.data[i * names.length + k] / scaleOf(matrix)),
      };
    });
  }

  /** The crop for a further look; null where the face lies well in its last. */
  closer(face, matrix) {
    const { looks, mean_face: mean, crop: size } = this.settings;
    const lying = layOver(mean.points, face.keypoints);
    if (!lying || face.score < looks.min_score) return null;
    const inCrop = compose(matrix, lying);
    const [x, y] = transform(inCrop, [(mean.side - 1) / 2, (mean.side - 1) / 2]);
    const liesWell =
      Math.abs(turnOf(inCrop)) <= looks.max_tilt_deg &&
      Math.abs(Math.log((scaleOf(inCrop) * mean.side) / size)) <= looks.max_log_scale &&
      Math.hypot(x - (size - 1) / 2, y - (size - 1) / 2) <= looks.max_shift * size;
    return liesWell ? null : compose(cropMatrix([0, 0, mean.side], size), invert(lying));
  }

  /** The faces that are sure enough, each once, the largest first. */
  keep(faces) {
    const { min_score: least, max_shared: most, max_faces: count } = this.settings;
    const kept = [];
    for (const face of [...faces].sort((one, other) => other.score - one.score)) {
      const apart = kept.every((other) => sharedPart(face.box, other.box) <= most);
      if (face.score >= least && apart) kept.push(face);
    }
    return kept.sort(largestFirst).slice(0, count ?? undefined);
  }
}

function largestFirst(one, other) {
  return other.box[2] * other.box[3] - one.box[2] * one.box[3];
}

/** The shape at which the detector runs, as `edge.networks.face_detector.working_shape`. */
function workingShape(height, width, { step, shorter: parts }) {
  const up = (length) => Math.ceil(length / step) * step;
  const longer = up(Math.max(height, width));
  const shorter = parts
    .map((part) => up(longer * part))
    .find((side) => side >= Math.min(height, width));
  return height > width ? [longer, shorter] : [shorter, longer];
}

function roundHalfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}
