// Boxes and affine matrices, as in edge/geometry.py and edge/geometry/face_frame.py.
// A matrix is [a, b, x, c, d, y]: (px, py) goes to (a·px + b·py + x, c·px + d·py + y), in pixels
// with centres at integers.

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

/** The angle by which a similarity turns, degrees clockwise as seen. */
export function turnOf(matrix) {
  return (Math.atan2(matrix[3], matrix[0]) * 180) / Math.PI;
}

/** The similarity of least squares that lays points over others; null where they lie in one place. */
export function layOver(points, others) {
  const count = points.length;
  const mean = (all, axis) => all.reduce((sum, point) => sum + point[axis], 0) / count;
  const [mx, my] = [mean(points, 0), mean(points, 1)];
  const [ox, oy] = [mean(others, 0), mean(others, 1)];
  let [spread, real, imaginary] = [0, 0, 0];
  points.forEach(([px, py], i) => {
    const [ax, ay] = [px - mx, py - my];
    const [bx, by] = [others[i][0] - ox, others[i][1] - oy];
    spread += ax * ax + ay * ay;
    real += ax * bx + ay * by;
    imaginary += ax * by - ay * bx;
  });
  const [re, im] = [real / spread, imaginary / spread];
  if (!(spread > 0) || !(Math.hypot(re, im) > 0)) return null;
  return [re, -im, ox - (re * mx - im * my), im, re, oy - (im * mx + re * my)];
}

/** The matrix from the picture to a crop of `size` px that shows the square [x, y, side]. */
export function cropMatrix([x, y, side], size) {
  const scale = size / side;
  return [scale, 0, (0.5 - x) * scale - 0.5, 0, scale, (0.5 - y) * scale - 0.5];
}

/** The box of a face that lies as the mean face, of a crop of `side` px, is laid by `matrix`. */
export function boxOf(matrix, side, box) {
  const length = scaleOf(matrix) * side;
  const [x, y] = transform(matrix, [(side - 1) / 2, (side - 1) / 2]);
  const [width, height] = [box.width * length, box.height * length];
  return [x + 0.5 - width / 2, y + 0.5 - height / 2 + box.down * length, width, height];
}

/** The square [x, y, side] to cut out for a face whose box [x, y, width, height] is known. */
export function squareAround([x, y, width, height], box) {
  const side = Math.sqrt((width * height) / (box.width * box.height));
  return [x + (width - side) / 2, y + (height - side) / 2 - box.down * side, side];
}

/** The area that two boxes share, as a part of the smaller one's. */
export function sharedPart(first, second) {
  const along = (axis) => {
    const end = Math.min(first[axis] + first[axis + 2], second[axis] + second[axis + 2]);
    return Math.max(end - Math.max(first[axis], second[axis]), 0);
  };
  const smaller = Math.min(first[2] * first[3], second[2] * second[3]);
  return (along(0) * along(1)) / smaller;
}
