// Faces on the colour picture, as edge/drawing.py draws them.

// Okabe and Ito's palette, which colour-blind eyes tell apart.
const LEFT = "rgb(230 159 0)";
const RIGHT = "rgb(86 180 233)";
const MIDDLE = "rgb(0 158 115)";
const DOT = 0.014; // radius of a point, in sides of the face's box
const RIM = 1.45; // radius of the dark rim, in radii of the point
const CENTRE = 0.45; // of a point within its error circle, in radii of a point without
const LONGEST = 4096; // px; larger canvases are refused by some browsers
const SHORTEST = 1024; // px; smaller pictures are enlarged, or points would hide the face
const CLOSE = 640; // px, side of a close-up
const AROUND = 1.3; // sides of a face's box that a close-up shows

/** Draw a picture and the faces of its record. */
export function drawFaces(canvas, picture, record, showCircles) {
  const longer = Math.max(picture.width, picture.height);
  const scale = Math.min(LONGEST / longer, Math.max(1, Math.ceil(SHORTEST / longer)));
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  draw(canvas, picture, record.faces, showCircles, [scale, 0, 0]);
}

/** Draw one face and what is around it, large. */
export function drawCloseUp(canvas, picture, face, showCircles) {
  const [x, y, width, height] = face.box;
  const side = AROUND * Math.max(width, height);
  canvas.width = canvas.height = CLOSE;
  const corner = [x + (width - side) / 2, y + (height - side) / 2];
  draw(canvas, picture, [face], showCircles, [CLOSE / side, ...corner]);
}

function draw(canvas, picture, faces, showCircles, [scale, left, top]) {
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.translate(-left, -top);
  pen.drawImage(picture, 0, 0);
  pen.translate(0.5, 0.5); // coordinates are of pixels' centres
  for (const face of faces) drawFace(pen, face, showCircles);
}

function drawFace(pen, { box, keypoints }, showCircles) {
  const [x, y, width, height] = box;
  const radius = DOT * Math.max(width, height);
  const line = radius / 2;
  pen.lineWidth = line;
  pen.strokeStyle = "black";
  pen.strokeRect(x - line, y - line, width + 2 * line, height + 2 * line);
  pen.strokeStyle = "white";
  pen.strokeRect(x, y, width, height);
  for (const [name, { x: px, y: py, error }] of Object.entries(keypoints)) {
    const dot = showCircles ? CENTRE * radius : radius;
    if (showCircles) ring(pen, px, py, error, radius / 3, colourOf(name));
    pen.fillStyle = "black";
    disc(pen, px, py, dot * RIM);
    pen.fill();
    pen.fillStyle = colourOf(name);
    disc(pen, px, py, dot);
    pen.fill();
  }
}

function ring(pen, x, y, radius, width, colour) {
  disc(pen, x, y, radius);
  pen.lineWidth = 1.6 * width;
  pen.strokeStyle = "black";
  pen.stroke();
  pen.lineWidth = 0.8 * width;
  pen.strokeStyle = colour;
  pen.stroke();
}

function disc(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
}

function colourOf(name) {
  const words = name.split("_");
  if (words.includes("left")) return LEFT;
  return words.includes("right") ? RIGHT : MIDDLE;
}
