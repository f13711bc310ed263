// Keeps what is shown: as a GIF of the frames, and as a video of the canvas where the browser can.

import { GifWriter } from "play/gif";

const VIDEOS = [
  ["video/mp4;codecs=avc1.42E01E", "mp4"],
  ["video/mp4", "mp4"],
  ["video/webm;codecs=vp9", "webm"],
  ["video/webm", "webm"],
];
const WIDE = 320; // pixels that a GIF is at least across, if a frame can be enlarged to that
const MOST_SECONDS = 60;

const find = (id) => document.getElementById(id);

/** One recording. */
class Recording {
  /**
   * @param canvas shows the frames.
   * @param frameSize [height, width] of the frames.
   * @param rate frames per second.
   */
  constructor(canvas, frameSize, rate) {
    const delay = Math.max(2, Math.round(100 / rate)); // shorter ones are slowed down by viewers
    this.gif = new GifWriter(frameSize, Math.max(1, Math.round(WIDE / frameSize[1])), delay);
    this.rate = 100 / delay;
    this.video = startVideo(canvas, rate);
  }

  /** Appends a frame. */
  add(frame) {
    this.gif.add(frame);
  }

  get seconds() {
    return this.gif.count / this.rate;
  }

  /** Ends it: [{name, blob}] of the files. */
  async stop() {
    const files = [];
    if (this.gif.count) files.push({ name: "dance.gif", blob: this.gif.blob() });
    if (this.video) {
      const { recorder, chunks, ending } = this.video;
      if (recorder.state !== "inactive") {
        const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
        recorder.stop();
        await stopped;
      }
      const blob = new Blob(chunks, { type: recorder.mimeType });
      if (blob.size) files.push({ name: `dance.${ending}`, blob });
    }
    return files;
  }
}

function startVideo(canvas, rate) {
  if (typeof MediaRecorder === "undefined" || !canvas.captureStream) return null;
  const found = VIDEOS.find(([type]) => MediaRecorder.isTypeSupported(type));
  if (!found) return null;
  const options = { mimeType: found[0], videoBitsPerSecond: 4e6 };
  const recorder = new MediaRecorder(canvas.captureStream(rate), options);
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  recorder.start();
  return { recorder, chunks, ending: found[1] };
}

/** The button that records, and the files for the user. */
export class Recorder {
  /**
   * @param canvas, frameSize, rate as of a recording.
   * @param begun is called when a recording begins.
   */
  constructor(canvas, frameSize, rate, begun) {
    this.open = () => new Recording(canvas, frameSize, rate);
    this.begun = begun;
    this.recording = null;
  }

  /** A frame was shown. */
  add(frame) {
    if (!this.recording) return;
    this.recording.add(frame);
    find("recorded").textContent = `${this.recording.seconds.toFixed(1)} s`;
    if (this.recording.seconds >= MOST_SECONDS) this.toggle();
  }

  /** Begins or ends a recording. */
  async toggle() {
    const { recording } = this;
    this.recording = recording ? null : this.open();
    find("record").textContent = recording ? "Record" : "Stop";
    find("record").classList.toggle("on", !recording);
    if (recording) offer(await recording.stop());
    else this.begun();
  }
}

/** Links to save files. */
function offer(files) {
  for (const link of find("downloads").children) URL.revokeObjectURL(link.href);
  find("downloads").replaceChildren(...files.map(({ name, blob }) => {
    const link = document.createElement("a");
    Object.assign(link, { download: name, href: URL.createObjectURL(blob), className: "download" });
    link.textContent = `Save ${name} (${Math.max(blob.size / 1e6, 0.1).toFixed(1)} MB)`;
    return link;
  }));
}
