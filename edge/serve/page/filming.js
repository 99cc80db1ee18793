// The camera of the device on which the page is shown: one frame after another, as fast as answers
// come.

const LONGEST = 1280; // px; more only takes longer to send
const QUALITY = 0.9;

export class Filming {
  constructor(video, owner) {
    Object.assign(this, { video, owner, stream: null });
  }

  async toggle() {
    if (this.stream) this.stop();
    else await this.start();
  }

  async start() {
    if (!navigator.mediaDevices) {
      const reason = "Browsers lend a camera only to pages of this computer itself or over https.";
      this.owner.say(reason, true);
      return;
    }
    try {
      const wanted = { video: { width: { ideal: LONGEST }, facingMode: "user" } };
      this.stream = await navigator.mediaDevices.getUserMedia(wanted);
    } catch (error) {
      this.owner.say(`The camera cannot be used: ${error.message}`, true);
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.owner.changed(true);
    await this.film(this.stream);
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.owner.changed(false);
  }

  async film(stream) {
    const view = this.owner.begin();
    const canvas = new OffscreenCanvas(this.video.videoWidth, this.video.videoHeight);
    try {
      while (this.stream === stream) {
        canvas.getContext("2d").drawImage(this.video, 0, 0);
        const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
        const found = await this.owner.find(blob);
        if (this.stream !== stream) return;
        this.owner.show(view, await createImageBitmap(canvas), found);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    } catch (error) {
      this.stop();
      this.owner.say(`The camera was stopped: ${error.message}`, true);
    }
  }
}
