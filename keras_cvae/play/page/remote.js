// The engine of the served page: the model runs in the server, behind a WebSocket.

const START = 1;
const STEP = 2;

/** One socket; one call at a time. `onlost` is called with a sentence when the connection ends. */
export class Engine {
  /** Connects to the server from which the page came. */
  static async open() {
    const address = new URL("frames", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () =>
        reject(new Error("The server does not answer. Is play.py still running?"));
    });
    return new Engine(socket);
  }

  constructor(socket) {
    this.socket = socket;
    this.onlost = null;
    this.waiting = null;
    socket.onmessage = ({ data }) => this.take(data);
    socket.onerror = null;
    socket.onclose = () => this.lose("The connection to the server is lost.");
  }

  /** Makes an image (H * W * 3 bytes) the previous frame. */
  async start(image) {
    await this.ask(START, image);
  }

  /** The frame for a pose image; `noise` is the temperature times standard normal numbers. */
  async step(noise, pose) {
    const floats = new DataView(new ArrayBuffer(noise.length * 4));
    noise.forEach((value, i) => floats.setFloat32(4 * i, value, true));
    return this.ask(STEP, new Uint8Array(floats.buffer), pose);
  }

  /** Ends the connection; nothing is reported. */
  close() {
    this.onlost = null;
    this.socket.close();
  }

  ask(kind, ...parts) {
    if (this.waiting) return Promise.reject(new Error("One call at a time."));
    const message = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
    message[0] = kind;
    let at = 1;
    for (const part of parts) {
      message.set(part, at);
      at += part.length;
    }
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) {
        reject(new Error("The connection to the server is lost."));
        return;
      }
      this.waiting = { resolve, reject };
      this.socket.send(message);
    });
  }

  take(data) {
    if (typeof data === "string") {
      this.lose(JSON.parse(data).error);
      return;
    }
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.resolve(new Uint8Array(data, 1));
  }

  /** Says once why there are no more frames. */
  lose(reason) {
    const { waiting, onlost } = this;
    this.waiting = this.onlost = null;
    onlost?.(reason);
    waiting?.reject(new Error(reason));
  }
}
