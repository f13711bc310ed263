// The engine of the page that is one file: the model runs in the browser, by ONNX Runtime Web. Its
// program, the module that loads it, and the model are parts of the page, as base64 of gzip.

import { inflate } from "play/content";

/** A module of its text. It needs an address: that of a blob is of this page alone. */
async function imported(code) {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return await import(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function loaded(setup) {
  if (typeof WebAssembly === "undefined") {
    throw new Error("This browser has no WebAssembly, or it is switched off; the model needs it.");
  }
  const [code, program, model] = await Promise.all(
    [setup.module, setup.wasm, setup.model].map((part) => inflate(part, "gzip")));
  const runtime = await imported(code);
  runtime.env.wasm.wasmBinary = program;  // else it would be fetched
  runtime.env.wasm.numThreads = 1;  // several need headers that a file has not
  const session = await runtime.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return { runtime, session };
}

function toUnit(image) {
  const values = new Float32Array(image);
  for (let i = 0; i < values.length; i++) values[i] /= 255;
  return values;
}

function toBytes(values) {
  const bytes = new Uint8ClampedArray(values.length);  // it clips and rounds
  for (let i = 0; i < bytes.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new Error("The prediction is not finite. Load the page again.");
    }
    bytes[i] = 255 * values[i];
  }
  return new Uint8Array(bytes.buffer);
}

const said = (error) => (error instanceof Error ? error.message : String(error));

/** The model in this browser; one call at a time. */
export class Engine {
  /**
   * Unpacks and starts the model.
   * @param setup of the page, with the parts. `inputs` has the names of the model's inputs: of the
   *   previous frame, the pose, and z or the noise.
   * @param content of the model, for the sizes.
   */
  static async open(setup, content) {
    try {
      return new Engine(await loaded(setup), setup.inputs, content);
    } catch (error) {
      throw new Error(`The model could not be started in this browser: ${said(error)}`);
    }
  }

  constructor({ runtime, session }, inputs, content) {
    this.runtime = runtime;
    this.session = session;
    this.inputs = inputs;
    this.frameShape = [1, ...content.frame_size, 3];
    this.latentShape = [1, ...content.latent_shape];
    this.previous = null;  // float32, as in prediction elsewhere: rounding would add up
    this.onlost = null;  // nothing can be lost here
  }

  tensor(data, shape, what) {
    const count = shape.reduce((product, side) => product * side, 1);
    if (data.length !== count) {
      throw new Error(`The ${what} has ${data.length} values; ${count} were expected.`);
    }
    return new this.runtime.Tensor("float32", data, shape);
  }

  /** Makes an image (H * W * 3 bytes) the previous frame. */
  async start(image) {
    this.previous = this.tensor(toUnit(image), this.frameShape, "first frame");
  }

  /** The frame for a pose image; `noise` is the temperature times standard normal numbers. */
  async step(noise, pose) {
    if (!this.previous) throw new Error("There is no first frame yet.");
    const values = [
      this.previous,
      this.tensor(toUnit(pose), this.frameShape, "pose"),
      this.tensor(noise, this.latentShape, "noise"),
    ];
    const feeds = Object.fromEntries(this.inputs.map((name, i) => [name, values[i]]));
    let frame;
    try {
      ({ frame } = await this.session.run(feeds));
    } catch (error) {
      throw new Error(`The model stopped: ${said(error)}. Load the page again.`);
    }
    this.previous = frame;
    return toBytes(frame.data);
  }

  /** Frees the model. */
  close() {
    this.session.release();
  }
}
