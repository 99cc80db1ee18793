// Opens image files, and finds their faces on the server or in this browser.

import { openNetworks } from "./inference.js";
import { toRecord } from "./records.js";

let networks = null; // a promise once they have been requested

/** Decode a file to a bitmap with EXIF orientation applied; throws an error for the user. */
export async function openImage(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error("this browser cannot show it");
  }
}

/** Find faces on the server: {record, timings}. `wanted` has `points68`, `states` for eyes, mouth, pose
 * and quality, and `visible` for hidden keypoints; what is not wanted is not computed. */
export async function findOnServer(blob, name, { points68, states, visible }) {
  const query = [
    ...(points68 ? ["points68=1"] : []),
    ...(states ? ["analyze=1", "quality=1"] : []),
    ...(visible ? ["visible=1"] : []),
  ];
  const start = performance.now();
  const type = blob.type.startsWith("image/") ? blob.type : "application/octet-stream";
  const response = await fetch(`/v1/keypoints?${query.join("&")}`, {
    method: "POST", headers: { "Content-Type": type }, body: blob,
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  const stages = (response.headers.get("Server-Timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g);
  const timings = Object.fromEntries([...stages].map(([, stage, ms]) => [stage, Number(ms)]));
  const total = performance.now() - start;
  return { record: { ...body, image: name }, timings: { ...timings, total } };
}

/** Find faces in this browser, as `findOnServer` with points alone: the image is not sent anywhere. */
export async function findInBrowser(blob, name, settings, { points68 }) {
  networks ??= openNetworks(settings);
  networks.catch(() => {
    networks = null; // so that the next call tries again
  });
  const pipeline = await networks;
  const start = performance.now();
  const pixels = await pixelsOf(blob);
  const { faces, timings } = await pipeline.find(pixels, points68);
  const record = toRecord(name, pixels.width, pixels.height, faces, settings);
  return { record, timings: { ...timings, total: performance.now() - start } };
}

/** The pixels with EXIF orientation applied, on white, without colour conversion. */
async function pixelsOf(blob) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  const bitmap = await createImageBitmap(blob, options);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
