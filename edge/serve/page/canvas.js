// Draws faces on the colour image, as edge/drawing.py does.

// The palette of Okabe and Ito, which is safe for colour-blind readers.
const LEFT = "rgb(230 159 0)";
const RIGHT = "rgb(86 180 233)";
const MIDDLE = "rgb(0 158 115)";
const DOT = 0.014; // radius of a point, in sides of the face's box
const LINE = 0.35; // width of a line through the 68 points, in radii of a point
const RIM = 1.45; // radius of the dark rim, in radii of the point
const RING = 0.7; // width of a hollow point, in radii of the point
const SEEN = 0.5; // probability from which a point is drawn as seen
const CIRCLE = [1.6 / 3, 0.8 / 3]; // width of an error circle with its rims and without, likewise
const CENTRE = 0.45; // radius of a point in an error circle, in radii of a point without one
const MAX_SIDE = 4096; // px; some browsers do not support larger canvases
const MIN_SIDE = 1024; // px; smaller images are enlarged so that points do not hide the face
const CLOSE_UP_SIDE = 640; // px, side of a close-up
const CLOSE_UP_SCALE = 1.3; // side of the region shown in a close-up, in sides of the face's box

/** Draw an image and the faces of its record. `style` has `circles`, whether error circles are drawn,
 * and `lines`, those through the 68 points: [first, last, is closed] each. */
export function drawFaces(canvas, image, record, style) {
  const longer = Math.max(image.width, image.height);
  const scale = Math.min(MAX_SIDE / longer, Math.max(1, Math.ceil(MIN_SIDE / longer)));
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  draw(canvas, image, record.faces, style, [scale, 0, 0]);
}

/** Draw an enlarged face and its surroundings. */
export function drawCloseUp(canvas, image, face, style) {
  const [x, y, width, height] = face.box;
  const side = CLOSE_UP_SCALE * Math.max(width, height);
  canvas.width = CLOSE_UP_SIDE;
  canvas.height = CLOSE_UP_SIDE;
  const corner = [x + (width - side) / 2, y + (height - side) / 2];
  draw(canvas, image, [face], style, [CLOSE_UP_SIDE / side, ...corner]);
}

function draw(canvas, image, faces, style, [scale, left, top]) {
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.translate(-left, -top);
  context.drawImage(image, 0, 0);
  context.translate(0.5, 0.5); // pixel centres are at integers
  for (const face of faces) drawFace(context, face, style);
}

function drawFace(context, { box, keypoints, points68, visible }, style) {
  const [x, y, width, height] = box;
  const radius = DOT * Math.max(width, height);
  const line = radius / 2;
  context.lineWidth = line;
  context.strokeStyle = "black";
  context.strokeRect(x - line, y - line, width + 2 * line, height + 2 * line);
  context.strokeStyle = "white";
  context.strokeRect(x, y, width, height);
  if (points68) drawLines(context, points68, style.lines, LINE * radius);
  for (const [name, { x: px, y: py, error }] of Object.entries(keypoints)) {
    const dot = style.circles ? CENTRE * radius : radius;
    if (style.circles) {
      ring(context, px, py, error, CIRCLE.map((width) => width * radius), colourOf(name));
    }
    if (isHidden(visible?.[name])) {
      const widths = [RING + 2 * (RIM - 1), RING].map((width) => width * dot);
      ring(context, px, py, (1 + RING / 2) * dot, widths, colourOf(name));
      continue;
    }
    context.fillStyle = "black";
    disc(context, px, py, dot * RIM);
    context.fill();
    context.fillStyle = colourOf(name);
    disc(context, px, py, dot);
    context.fill();
  }
}

/** The lines through the 68 points, white with a dark outline. */
function drawLines(context, points68, lines, width) {
  context.lineJoin = "round";
  context.beginPath();
  for (const [first, last, isClosed] of lines) {
    points68.slice(first, last + 1).forEach(([x, y], i) => {
      if (i) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    if (isClosed) context.closePath();
  }
  context.lineWidth = 3 * width;
  context.strokeStyle = "black";
  context.stroke();
  context.lineWidth = width;
  context.strokeStyle = "white";
  context.stroke();
}

/** Whether a keypoint is hidden, by the probability that it is seen. */
export function isHidden(probability) {
  return probability < SEEN;
}

/** A ring with dark rims; `widths` are those with the rims and without. */
function ring(context, x, y, radius, widths, colour) {
  disc(context, x, y, radius);
  ["black", colour].forEach((style, i) => {
    context.lineWidth = widths[i];
    context.strokeStyle = style;
    context.stroke();
  });
}

function disc(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

function colourOf(name) {
  const words = name.split("_");
  if (words.includes("left")) return LEFT;
  return words.includes("right") ? RIGHT : MIDDLE;
}
