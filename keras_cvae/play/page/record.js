// Keeps what is shown: as a GIF of the frames, and as a video of the canvas where the browser can.

import { GifWriter } from "play/gif";

const VIDEOS = [
  ["video/mp4;codecs=avc1.42E01E", "mp4"],
  ["video/mp4", "mp4"],
  ["video/webm;codecs=vp9", "webm"],
  ["video/webm", "webm"],
];
const WIDE = 320; // pixels that a GIF is at least across, if a frame can be enlarged to that
const SHORTEST = 2; // hundredths of a second: viewers slow down frames that are shorter
const MOST_SECONDS = 60;
const TICK = 100; // milliseconds between two looks at the time

const find = (id) => document.getElementById(id);

/** One recording. Time passes in it as it does on the page, also while the page rests. */
class Recording {
  /**
   * @param canvas shows the frames.
   * @param frameSize [height, width] of the frames.
   */
  constructor(canvas, frameSize) {
    this.gif = new GifWriter(frameSize, Math.max(1, Math.round(WIDE / frameSize[1])));
    this.video = startVideo(canvas);
    this.frame = null; // the last one: for how long it is seen is known when the next one comes
    this.written = 0; // hundredths of a second in the GIF
  }

  /** Appends a frame. */
  add(frame) {
    this.began ??= performance.now();
    this.write();
    this.frame = frame;
  }

  get seconds() {
    return this.began === undefined ? 0 : (performance.now() - this.began) / 1000;
  }

  /** Writes the last frame until now. */
  write() {
    if (!this.frame) return;
    const delay = Math.max(SHORTEST, Math.round(100 * this.seconds) - this.written);
    this.gif.add(this.frame, delay);
    this.written += delay;
  }

  /** Ends it: [{name, blob}] of the files. */
  async stop() {
    this.write();
    const files = this.frame ? [{ name: "dance.gif", blob: this.gif.blob() }] : [];
    if (this.video) {
      const { stream, recorder, chunks, ending } = this.video;
      if (recorder.state !== "inactive") {
        const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
        recorder.stop();
        await stopped;
      }
      end(stream);
      const blob = new Blob(chunks, { type: recorder.mimeType });
      if (blob.size) files.push({ name: `dance.${ending}`, blob });
    }
    return files;
  }
}

function startVideo(canvas) {
  if (typeof MediaRecorder === "undefined" || !canvas.captureStream) return null;
  const found = VIDEOS.find(([type]) => MediaRecorder.isTypeSupported(type));
  if (!found) return null;
  const stream = canvas.captureStream(); // each change of the canvas
  try {
    const recorder = new MediaRecorder(stream, { mimeType: found[0], videoBitsPerSecond: 4e6 });
    const chunks = [];
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    recorder.start();
    return { stream, recorder, chunks, ending: found[1] };
  } catch { // some browsers promise more than they can; the GIF is recorded all the same
    end(stream);
    return null;
  }
}

/** A stream that is not ended goes on to cost time. */
const end = (stream) => stream.getTracks().forEach((track) => track.stop());

/** The button that records, and the files for the user. */
export class Recorder {
  /**
   * @param canvas, frameSize as of a recording.
   * @param begun is called when a recording begins.
   * @param guard function that makes a listener of which the errors are shown.
   */
  constructor(canvas, frameSize, begun, guard) {
    this.open = () => new Recording(canvas, frameSize);
    this.begun = begun;
    this.recording = null;
    this.look = guard(() => this.tick());
  }

  /** A frame was shown. */
  add(frame) {
    this.recording?.add(frame);
  }

  /** Begins or ends a recording. */
  async toggle() {
    const { recording } = this;
    this.recording = recording ? null : this.open();
    clearInterval(this.timer);
    find("record").textContent = recording ? "Record" : "Stop";
    find("record").classList.toggle("on", !recording);
    if (recording) offer(await recording.stop());
    else {
      find("recorded").textContent = "0.0 s"; // not the time of the one before
      find("record-status").textContent = `Recording, for at most ${MOST_SECONDS} seconds.`;
      this.timer = setInterval(this.look, TICK);
      this.begun();
    }
  }

  async tick() {
    const { seconds } = this.recording;
    find("recorded").textContent = `${seconds.toFixed(1)} s`;
    if (seconds >= MOST_SECONDS) await this.toggle();
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
  const names = files.map(({ name }) => name).join(" and ");
  find("record-status").textContent = names ? `Ready to save: ${names}.` : "Nothing was recorded.";
}
