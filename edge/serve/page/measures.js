// Measures of a face and their errors, as in edge/measures.py.

import { headPose } from "./head_pose.js";

// Standard deviation of a circular normal distribution over the radius that contains half of it.
const DEVIATION = 1 / 1.1774;
const PROBABLE = 0.6745; // probable error over standard deviation
const STEP = 1e-3; // of the numerical derivative, in outer-canthal widths

/**
 * Measures of one face: {name: {value, error}}; empty if the keypoints span no face.
 *
 * @param size width and height of the image, px
 */
export function measure(keypoints, error, size, settings) {
  const { keypoint_names: names, measures } = settings;
  const points = keypoints.map((point) => [...point]);
  const indexOf = (name) => names.indexOf(name);
  const eyeCorners = ["left_eye_outer_corner", "right_eye_outer_corner"].map(indexOf);
  const step = STEP * distance(points, ...eyeCorners);
  if (!(step > 0)) return {};
  const deviations = error.map((radius) => radius * DEVIATION);
  const pose = headPose(points, deviations, Math.max(...size), measures);
  if (!pose) return {};
  const valuesOf = (moved) => computeLengths(moved, indexOf, measures.mirror_order);
  const lengths = valuesOf(points);
  const variances = lengths.map(() => 0);
  for (const [k, point] of points.entries()) {
    for (const axis of [0, 1]) {
      const original = point[axis];
      point[axis] = original + step;
      const above = valuesOf(points);
      point[axis] = original - step;
      const below = valuesOf(points);
      point[axis] = original;
      variances.forEach((_, i) => {
        variances[i] += (((above[i] - below[i]) / (2 * step)) * deviations[k]) ** 2;
      });
    }
  }
  const values = [...pose.angles, ...lengths];
  const errors = [...pose.deviations, ...variances.map(Math.sqrt)].map((one) => PROBABLE * one);
  if (![...values, ...errors].every(Number.isFinite)) return {};
  return Object.fromEntries(
    measures.names.map((name, i) => [name, { value: values[i], error: errors[i] }]),
  );
}

/** All measures but the pose, in the order of `edge.measures.MEASURES`. */
function computeLengths(points, indexOf, mirrorOrder) {
  const of = (name) => points[indexOf(name)];
  const eye = (side) => of(`${side}_eye_center`);
  const down = downDirection(eye("left"), eye("right"));
  const below = (first, second) =>
    (first[0] - second[0]) * down[0] + (first[1] - second[1]) * down[1];
  const between = (first, second) => distance(points, indexOf(first), indexOf(second));
  const width = between("left_eye_outer_corner", "right_eye_outer_corner");
  const lips = midpoint(of("mouth_center_top_lip"), of("mouth_center_bottom_lip"));
  const corners = midpoint(of("mouth_left_corner"), of("mouth_right_corner"));
  const brow = (side) =>
    below(eye(side), midpoint(of(`${side}_eyebrow_inner_end`), of(`${side}_eyebrow_outer_end`)));
  const lengths = [
    between("left_eye_inner_corner", "right_eye_inner_corner"),
    between("left_eye_inner_corner", "left_eye_outer_corner"),
    between("right_eye_inner_corner", "right_eye_outer_corner"),
    between("mouth_left_corner", "mouth_right_corner"),
    between("mouth_center_top_lip", "mouth_center_bottom_lip"),
    below(lips, corners),
    brow("left"),
    brow("right"),
    below(of("nose_tip"), midpoint(eye("left"), eye("right"))),
    asymmetry(points, mirrorOrder),
  ];
  const pupils = between("left_eye_center", "right_eye_center");
  return [width, pupils, ...lengths.map((length) => length / width)];
}

function distance(points, first, second) {
  return Math.hypot(points[first][0] - points[second][0], points[first][1] - points[second][1]);
}

function midpoint([a, b], [c, d]) {
  return [(a + c) / 2, (b + d) / 2];
}

function downDirection(left, right) {
  const [x, y] = [left[0] - right[0], left[1] - right[1]];
  const length = Math.hypot(x, y);
  return [-y / length, x / length];
}

function centred(points) {
  const means = points[0].map(
    (_, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length,
  );
  return points.map((point) => point.map((value, axis) => value - means[axis]));
}

/** Half the root mean square distance of the face from its mirror image, rotated onto it. */
function asymmetry(points, mirrorOrder) {
  const face = centred(points);
  const mirrored = mirrorOrder.map((k) => [-face[k][0], face[k][1]]);
  let [re, im] = [0, 0]; // Σ a·conj(b)
  face.forEach(([ax, ay], i) => {
    const [bx, by] = mirrored[i];
    re += ax * bx + ay * by;
    im += ay * bx - ax * by;
  });
  const length = Math.hypot(re, im);
  const [c, s] = [re / length, im / length];
  const sum = face.reduce((total, [ax, ay], i) => {
    const [bx, by] = mirrored[i];
    return total + (ax - (c * bx - s * by)) ** 2 + (ay - (s * bx + c * by)) ** 2;
  }, 0);
  return Math.sqrt(sum / face.length) / 2;
}
