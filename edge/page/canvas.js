// Faces on the colour picture, as edge/drawing.py draws them.

// Okabe and Ito's palette, which colour-blind eyes tell apart.
const LEFT = "rgb(230 159 0)";
const RIGHT = "rgb(86 180 233)";
const MIDDLE = "rgb(0 158 115)";
const DOT = 0.014; // radius of a point, in sides of the face's box
const RIM = 1.45; // radius of the dark rim, in radii of the point
const LONGEST = 4096; // px; larger canvases are refused by some browsers

/** Draw a picture and the faces of its record. */
export function drawFaces(canvas, picture, record, showCircles) {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  pen.scale(scale, scale);
  pen.translate(0.5, 0.5); // coordinates are of pixels' centres
  for (const face of record?.faces ?? []) drawFace(pen, face, showCircles);
}

function drawFace(pen, { box, keypoints }, showCircles) {
  const [x, y, width, height] = box;
  const radius = Math.max(1.3, DOT * Math.max(width, height));
  const line = Math.max(1, Math.round(radius / 2));
  pen.lineWidth = line;
  pen.strokeStyle = "black";
  pen.strokeRect(x - line, y - line, width + 2 * line, height + 2 * line);
  pen.strokeStyle = "white";
  pen.strokeRect(x, y, width, height);
  for (const [name, { x: px, y: py, error }] of Object.entries(keypoints)) {
    if (showCircles) {
      pen.lineWidth = Math.max(1, radius / 2);
      pen.strokeStyle = "white";
      disc(pen, px, py, error);
      pen.stroke();
    }
    pen.fillStyle = "black";
    disc(pen, px, py, radius * RIM);
    pen.fill();
    pen.fillStyle = colourOf(name);
    disc(pen, px, py, radius);
    pen.fill();
  }
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
