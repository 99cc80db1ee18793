// Which of several boxes on one face is kept, as in edge/suppression.py.

import { ioMin } from "./geometry.js";

/** Non-maximum suppression: the faces that no better one is a duplicate of, largest first. */
export function withoutDuplicates(faces, settings) {
  const kept = [];
  for (const face of [...faces].sort((first, second) => second.score - first.score)) {
    if (!kept.some((other) => areDuplicates(face, other, settings))) kept.push(face);
  }
  return kept.sort((first, second) => area(second.box) - area(first.box));
}

/** Whether two boxes with keypoints are on the same face. */
function areDuplicates(face, other, { keypoint_names: names, max_shared: maxIoMin, duplicates }) {
  const overlap = ioMin(face.box, other.box);
  if (overlap === 0) return false;
  const [larger, smaller] = area(face.box) >= area(other.box) ? [face, other] : [other, face];
  const distances = face.keypoints.map((point, k) => distance(point, other.keypoints[k]));
  const mean = distances.reduce((sum, value) => sum + value, 0) / distances.length;
  const corners = ["left", "right"].map((side) => names.indexOf(`${side}_eye_outer_corner`));
  const span = distance(...corners.map((k) => smaller.keypoints[k]));
  if (mean < duplicates.same_distance * span) return true;
  if (overlap <= maxIoMin) return false;
  const intersection = overlap * area(smaller.box);
  const iou = intersection / (area(larger.box) + area(smaller.box) - intersection);
  const isCertain =
    smaller.score >= duplicates.certain_smaller && larger.score >= duplicates.certain_larger;
  const isApart = iou < duplicates.nested_iou || mean >= duplicates.apart_distance * span;
  return !(isCertain && isApart);
}

function area([, , width, height]) {
  return width * height;
}

function distance([x, y], [u, v]) {
  return Math.hypot(x - u, y - v);
}
