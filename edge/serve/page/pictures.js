// Pictures as the browser opens them, and the two ways to find the faces in one.

import { openNetworks } from "./inference.js";
import { toRecord } from "./records.js";

let networks = null; // a promise, once they are asked for

/** A file as a bitmap, upright; throws what is to be said where the browser cannot show it. */
export async function openPicture(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error("this browser cannot show it");
  }
}

/** Find faces on the server: {record, timings}. */
export async function findOnServer(blob, name) {
  const start = performance.now();
  const answer = await fetch("/v1/keypoints", {
    method: "POST",
    headers: { "Content-Type": blob.type.startsWith("image/") ? blob.type : "application/octet-stream" },
    body: blob,
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  const stages = (answer.headers.get("Server-Timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g);
  const timings = Object.fromEntries([...stages].map(([, stage, ms]) => [stage, Number(ms)]));
  return { record: { ...said, image: name }, timings: { ...timings, total: performance.now() - start } };
}

/** Find faces in this browser: {record, timings}; nothing of the picture is sent. */
export async function findInBrowser(blob, name, settings) {
  networks ??= openNetworks(settings);
  networks.catch(() => {
    networks = null; // to be tried again
  });
  const open = await networks;
  const start = performance.now();
  const pixels = await pixelsOf(blob);
  const { faces, timings } = await open.find(pixels);
  const record = toRecord(name, pixels.width, pixels.height, faces, settings);
  return { record, timings: { ...timings, total: performance.now() - start } };
}

/** All pixels as they are stored: turned upright, on white, colours not converted. */
async function pixelsOf(blob) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  const bitmap = await createImageBitmap(blob, options);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
