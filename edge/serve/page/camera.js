// The camera of the device that shows the page: frames are processed one at a time, as fast as
// results arrive.

const IDEAL_WIDTH = 1280; // px; larger frames only take longer to send
const JPEG_QUALITY = 0.9;

export class Camera {
  /** `page` supplies begin, find, show, changed and showStatus; see page.js. */
  constructor(video, page) {
    Object.assign(this, { video, page, stream: null });
  }

  async toggle() {
    if (this.stream) this.stop();
    else await this.start();
  }

  async start() {
    if (!navigator.mediaDevices) {
      const reason = "Browsers allow cameras only on pages from this computer or over https.";
      this.page.showStatus(reason, true);
      return;
    }
    try {
      const constraints = { video: { width: { ideal: IDEAL_WIDTH }, facingMode: "user" } };
      this.stream = await navigator.mediaDevices.getUserMedia(constraints);
    } catch (error) {
      this.page.showStatus(`The camera cannot be used: ${error.message}`, true);
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.page.changed(true);
    await this.processFrames(this.stream);
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.page.changed(false);
  }

  async processFrames(stream) {
    const view = this.page.begin();
    const canvas = new OffscreenCanvas(this.video.videoWidth, this.video.videoHeight);
    try {
      while (this.stream === stream) {
        canvas.getContext("2d").drawImage(this.video, 0, 0);
        const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
        const time = performance.now() / 1000;
        const result = await this.page.find(blob);
        if (this.stream !== stream) return;
        this.page.show(view, await createImageBitmap(canvas), result, time);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    } catch (error) {
      this.stop();
      this.page.showStatus(`The camera was stopped: ${error.message}`, true);
    }
  }
}
