// The server's own camera or video: the annotated stream, and what its faces do.

import { Timeline } from "./timeline.js";

export class Live {
  /** `section` has the image, the checkbox and a place for the timelines; see index.html. */
  constructor(section, settings) {
    this.timeline = new Timeline(settings);
    this.chosen = section.querySelector("#live-states");
    this.note = section.querySelector("#live-note");
    section.append(this.timeline.element);
    section.querySelector("#stream").src = "/v1/live";
    section.hidden = false;
    this.chosen.addEventListener("change", () => this.follow(this.chosen.checked));
  }

  /** Measure the faces of the stream, or stop it. */
  follow(on) {
    this.source?.close();
    this.timeline.clear();
    this.note.textContent = "";
    if (!on) return;
    this.source = new EventSource("/v1/live/states?quality=1");
    this.source.addEventListener("message", ({ data }) => {
      const { time, faces, events } = JSON.parse(data);
      this.note.textContent = faces.length ? "" : "No face in view.";
      this.timeline.add(time, faces, events);
    });
    this.source.addEventListener("error", () => {
      this.note.textContent = "The server does not respond.";
    });
  }
}
