// Keeps what is shown: as a GIF of the frames, and as a video of the canvas where the browser can.

import { GifWriter } from "play/gif";

const VIDEOS = [
  ["video/mp4;codecs=avc1.42E01E", "mp4"],
  ["video/mp4", "mp4"],
  ["video/webm;codecs=vp9", "webm"],
  ["video/webm", "webm"],
];
const WIDE = 320; // pixels that a GIF is at least across, if a frame can be enlarged to that
export const MOST_SECONDS = 60;

/** One recording. */
export class Recording {
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
