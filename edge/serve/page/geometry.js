// Boxes and affine matrices, as in edge/geometry/.
// A matrix is [a, b, x, c, d, y]: it maps (px, py) to (a·px + b·py + x, c·px + d·py + y), in
// pixels with centres at integers.

export function transform([a, b, x, c, d, y], [px, py]) {
  return [a * px + b * py + x, c * px + d * py + y];
}

export function invert([a, b, x, c, d, y]) {
  const area = a * d - b * c;
  return [d / area, -b / area, (b * y - d * x) / area, -c / area, a / area, (c * x - a * y) / area];
}

/** The matrix that applies `first` and then `second`. */
export function compose([a, b, x, c, d, y], [e, f, u, g, h, v]) {
  return [
    a * e + b * g, a * f + b * h, a * u + b * v + x,
    c * e + d * g, c * f + d * h, c * u + d * v + y,
  ];
}

export function scaleOf([a, b, , c, d]) {
  return Math.sqrt(Math.abs(a * d - b * c));
}

/** The rotation of a similarity, degrees, clockwise in the image. */
export function rotationDeg(matrix) {
  return (Math.atan2(matrix[3], matrix[0]) * 180) / Math.PI;
}

/** The least-squares similarity from source to target points; null if they coincide. */
export function fitSimilarity(source, target) {
  const count = source.length;
  const mean = (points, axis) => points.reduce((sum, point) => sum + point[axis], 0) / count;
  const [mx, my] = [mean(source, 0), mean(source, 1)];
  const [ox, oy] = [mean(target, 0), mean(target, 1)];
  let variance = 0;
  // The covariance as a complex number: a similarity is one factor in the complex plane.
  let real = 0;
  let imaginary = 0;
  source.forEach(([px, py], i) => {
    const [ax, ay] = [px - mx, py - my];
    const [bx, by] = [target[i][0] - ox, target[i][1] - oy];
    variance += ax * ax + ay * ay;
    real += ax * bx + ay * by;
    imaginary += ax * by - ay * bx;
  });
  const [re, im] = [real / variance, imaginary / variance];
  if (!(variance > 0) || !(Math.hypot(re, im) > 0)) return null;
  return [re, -im, ox - (re * mx - im * my), im, re, oy - (im * mx + re * my)];
}

/** The matrix from the image to a crop of `size` px of the square [x, y, side], which is first
 * rotated about its centre by `rollDeg`, clockwise as seen. */
export function cropMatrix([x, y, side], size, rollDeg = 0) {
  const scale = size / side;
  if (rollDeg) {
    const angle = (rollDeg * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
    const [u, v, middle] = [x + (side - 1) / 2, y + (side - 1) / 2, (size - 1) / 2];
    return [cos, sin, middle - cos * u - sin * v, -sin, cos, middle + sin * u - cos * v];
  }
  return [scale, 0, (0.5 - x) * scale - 0.5, 0, scale, (0.5 - y) * scale - 0.5];
}

/** The box of a face from its pose, the similarity from the mean face in a crop of `side` px. */
export function boxOfPose(matrix, side, box) {
  const length = scaleOf(matrix) * side;
  const [x, y] = transform(matrix, [(side - 1) / 2, (side - 1) / 2]);
  const [width, height] = [box.width * length, box.height * length];
  return [x + 0.5 - width / 2, y + 0.5 - height / 2 + box.down * length, width, height];
}

/** The square [x, y, side] to crop for a face with the box [x, y, width, height]. */
export function squareOfBox([x, y, width, height], box) {
  const side = Math.sqrt((width * height) / (box.width * box.height));
  return [x + (width - side) / 2, y + (height - side) / 2 - box.down * side, side];
}

/** IoMin of two boxes: their intersection over the smaller area. */
export function ioMin(first, second) {
  const overlap = (axis) => {
    const end = Math.min(first[axis] + first[axis + 2], second[axis] + second[axis + 2]);
    return Math.max(end - Math.max(first[axis], second[axis]), 0);
  };
  const smaller = Math.min(first[2] * first[3], second[2] * second[3]);
  return (overlap(0) * overlap(1)) / smaller;
}
