// Head pose and its error, as in edge/geometry/head_fit.py and edge/geometry/head_pose.py.
//
// The mean head is fitted to the keypoints by generalised least squares: points may be off by their
// own errors and by the modes in which the shape of heads differs. Matrices are arrays of rows.

const RADIANS = Math.PI / 180;
const FLAT = 1e-9; // of a size, or of its square, below which another is a rounding error

/**
 * Roll, yaw and pitch with their standard deviations, degrees; null if the keypoints span no face.
 *
 * @param points [[x, y], ...] px
 * @param deviations standard deviation of each point's coordinates, px
 * @param imageSide longer side of the image, px
 * @param measures the settings' `measures`
 */
export function headPose(points, deviations, imageSide, measures) {
  const fit = fitHead(points, deviations, imageSide, measures);
  if (!fit) return null;
  const { rotation, covariance, excess } = fit;
  const roll = Math.atan2(rotation[1][0], rotation[0][0]);
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)];
  const [right, down, away] = rotation.map((row) => -row[2]);
  const yaw = Math.atan2(cos * right + sin * down, -away);
  const pitch = Math.asin(Math.min(1, Math.max(-1, sin * right - cos * down)));
  // Each angle turns the head about one of these axes.
  const across = [cos * Math.cos(yaw), sin * Math.cos(yaw), Math.sin(yaw)];
  const axes = [[0, 0, 1], [sin, -cos, 0], across.map((value) => -value)];
  const byRotation = solve(transpose(axes), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
  const rotationCovariance = covariance.slice(0, 3).map((row) => row.slice(0, 3));
  const spread = multiply(multiply(byRotation, rotationCovariance), transpose(byRotation));
  return {
    angles: [roll, yaw, pitch].map((angle) => angle / RADIANS),
    deviations: spread.map((row, i) => (excess * Math.sqrt(row[i])) / RADIANS),
  };
}

function fitHead(points, deviations, imageSide, { mean_head: meanHead, head_modes: modes, head_fit: settings }) {
  const camera = {
    inverseFocal: settings.inverse_focal / imageSide,
    deviation: settings.inverse_focal_deviation / imageSide,
  };
  let pose = orthographicFit(points, meanHead, settings.start);
  if (!pose) return null;
  const least = settings.min_deviation * pose.scale;
  const noise = deviations.map((deviation) => Math.max(deviation, least) ** 2);
  let linear;
  let step;
  for (let i = 0; i < settings.max_steps; i++) {
    linear = linearise(points, noise, project(pose, camera, meanHead, modes), settings);
    step = stepOf(linear, linear.residual, settings);
    pose = movedPose(pose, step);
    if (turn(step) <= settings.near_step) break;
  }
  // The derivatives still hold.
  for (let i = 0; i < settings.max_steps && turn(step) > settings.last_step; i++) {
    const { seen } = project(pose, camera, meanHead, []);
    step = stepOf(linear, residuals(points, seen), settings);
    pose = movedPose(pose, step);
  }
  return { ...linear, rotation: pose.rotation };
}

/** The least squares of small changes of a pose: rotation, log scale, shift. */
function linearise(points, noise, { seen, byPose, moved }, settings) {
  const residual = residuals(points, seen);
  const variance = moved.map((row) => moved.map((other) => dot(row, other)));
  variance.forEach((row, i) => (row[i] += noise[i >> 1]));
  const weighted = solve(variance, byPose.map((row, i) => [...row, residual[i]]));
  const normal = multiply(transpose(byPose), weighted); // (6, 7)
  const identity = normal.map((_, i) => normal.map((__, j) => Number(i === j)));
  const covariance = solve(normal.map((row) => row.slice(0, 6)), identity);
  const gradient = normal.map((row) => row[6]);
  const full = covariance.map((row) => dot(row, gradient));
  const chiSquared = dot(residual, weighted.map((row) => row[6])) - dot(full, gradient);
  return {
    residual,
    covariance,
    gain: multiply(covariance, transpose(weighted.map((row) => row.slice(0, 6)))), // (6, 2K)
    excess: Math.sqrt(Math.max(1, chiSquared / settings.usual_chi_squared)),
  };
}

function residuals(points, seen) {
  return points.flatMap(([x, y], k) => [x - seen[2 * k], y - seen[2 * k + 1]]);
}

/** A step of Gauss and Newton: the change of the pose. */
function stepOf({ gain }, residual, { longest_step: longestStep }) {
  const full = gain.map((row) => dot(row, residual));
  const longest = Math.max(longestStep, ...full.slice(0, 4).map(Math.abs));
  return full.map((value) => (value * longestStep) / longest);
}

function turn(step) {
  return Math.max(...step.slice(0, 3).map(Math.abs));
}

/** The mean head as a camera sees it: points, and what moves them by pose and by shape, px. */
function project({ rotation, scale, shift }, camera, meanHead, modes) {
  const [seen, byPose, moved] = [[], [], []];
  meanHead.forEach((point, k) => {
    const [x, y, z] = rotation.map((row) => dot(row, point));
    const near = scale / (1 + scale * camera.inverseFocal * z);
    [x, y].forEach((value, axis) => {
      const at = value * near;
      const byDepth = -at * near * camera.inverseFocal;
      // The derivative by the point, along the camera's axes; a rotation by w moves it by w × p.
      const [dx, dy] = axis === 0 ? [near, 0] : [0, near];
      seen.push(at + shift[axis]);
      byPose.push([
        byDepth * y - dy * z, dx * z - byDepth * x, dy * x - dx * y,
        (at * near) / scale, 1 - axis, axis,
      ]);
      const byPoint = [0, 1, 2].map(
        (i) => dx * rotation[0][i] + dy * rotation[1][i] + byDepth * rotation[2][i],
      );
      moved.push([
        ...modes.map((mode) => dot(byPoint, mode[k])),
        -at * near * z * camera.deviation,
      ]);
    });
  });
  return { seen, byPose, moved };
}

/** The scaled orthographic projection nearest to an affine one; null where points coincide. */
function orthographicFit(points, meanHead, start) {
  // The sum of keypoints, weighted by the mean head's as complex numbers, turns with the face.
  const sum = [0, 1].map((axis) =>
    points.reduce((total, [x, y], k) => {
      const [u, v] = meanHead[k];
      return total + (axis === 0 ? u * x + v * y : u * y - v * x) / points.length;
    }, 0),
  );
  const size = Math.hypot(...sum);
  if (!(size > FLAT * Math.max(...points.map((point) => Math.hypot(...point))))) return null;
  const [cos, sin] = sum.map((value) => value / size);
  const upright = points.flatMap(([x, y]) => [cos * x + sin * y, cos * y - sin * x]);
  const affine = start.map((row) => dot(row, upright));
  const [p, q] = [affine.slice(0, 3), affine.slice(3, 6)];
  // The nearest orthonormal rows to P = (p, q) are (P·Pᵀ)^(−1/2)·P; the singular values' mean square
  // is the mean of the squared lengths.
  const [a, b, d] = [dot(p, p), dot(p, q), dot(q, q)];
  const root = Math.sqrt(Math.max(0, a * d - b * b));
  const trace = a + d + 2 * root;
  if (!(root > FLAT * trace)) return null;
  const norm = Math.sqrt(trace) * root;
  const row = (u, v) => p.map((_, i) => (u * p[i] + v * q[i]) / norm);
  const [first, second] = [row(d + root, -b), row(-b, a + root)];
  const [x, y] = affine.slice(6);
  return {
    rotation: [
      first.map((value, i) => cos * value - sin * second[i]),
      first.map((value, i) => sin * value + cos * second[i]),
      cross(first, second),
    ],
    scale: Math.sqrt((a + d) / 2),
    shift: [cos * x - sin * y, sin * x + cos * y],
  };
}

function movedPose({ rotation, scale, shift }, step) {
  return {
    rotation: multiply(rotationAbout(step.slice(0, 3)), rotation),
    scale: scale * Math.exp(step[3]),
    shift: [shift[0] + step[4], shift[1] + step[5]],
  };
}

/** The rotation about a vector by its length in radians (Rodrigues, 1840). */
function rotationAbout([x, y, z]) {
  const angle = Math.hypot(x, y, z);
  const skew = [[0, -z, y], [z, 0, -x], [-y, x, 0]];
  const square = multiply(skew, skew);
  const sine = angle < 1e-12 ? 1 : Math.sin(angle) / angle;
  const versine = angle < 1e-12 ? 0 : (1 - Math.cos(angle)) / angle ** 2;
  return skew.map((row, i) =>
    row.map((value, j) => Number(i === j) + sine * value + versine * square[i][j]),
  );
}

/** Solve a·x = b for several columns of b, by Gaussian elimination with pivoting. */
function solve(a, b) {
  const rows = a.map((row, i) => [...row, ...b[i]]);
  const size = rows.length;
  for (let i = 0; i < size; i++) {
    let pivot = i;
    for (let k = i + 1; k < size; k++) {
      if (Math.abs(rows[k][i]) > Math.abs(rows[pivot][i])) pivot = k;
    }
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let k = 0; k < size; k++) {
      if (k === i) continue;
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j < rows[k].length; j++) rows[k][j] -= factor * rows[i][j];
    }
  }
  return rows.map((row, i) => row.slice(size).map((value) => value / row[i]));
}

function multiply(a, b) {
  const columns = transpose(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
}

function transpose(matrix) {
  return matrix[0].map((_, i) => matrix.map((row) => row[i]));
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function cross([a, b, c], [d, e, f]) {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}
