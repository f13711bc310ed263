// One game: the model's previous frame, the pose, z, and the next frame that follows from them.

import { Noise } from "play/noise";
import { SkeletonPen } from "play/skeleton";

const REST = 2; // seconds after which a still picture is not predicted further
const SMOOTH = 25; // frames per second, at least, while nothing plays
const FASTEST = 60; // as most screens

/** Predicts frame after frame. One call of the engine at a time; later calls wait. */
export class Game {
  /**
   * @param content of the model, unpacked.
   * @param engine runs the model.
   * @param body the joints.
   * @param player moves the body.
   */
  constructor(content, engine, body, player) {
    Object.assign(this, { content, engine, body, player });
    this.pen = new SkeletonPen(content.skeleton, content.frame_size);
    this.random = new Noise(0);
    this.temperature = content.temperature;
    this.everyFrame = true;
    this.size = content.latent_shape.reduce((product, side) => product * side, 1);
    this.turn = Promise.resolve();
    this.stir();
    this.newLatent();
  }

  /** Frames per second: a clip is as fast as the model's videos; a drag should look smooth. */
  get rate() {
    const { fps } = this.content;
    return Math.min(this.player.playing ? fps : Math.max(SMOOTH, fps), FASTEST);
  }

  /** Draws standard normal numbers; z is what they are at the present temperature. */
  newLatent() {
    this.epsilon = this.random.normals(this.size);
    this.stir();
  }

  /** Something changed: the next frames are predicted. */
  stir() {
    this.still = 0;
  }

  /** Begins with a frame: {image, joints, depth}, flat arrays; and plays a clip's second one next. */
  start({ image, joints, depth }, clip = null) {
    return this.alone(async () => {
      await this.engine.start(image);
      this.player.stop();
      this.body.set(joints, depth);
      if (clip) this.player.play(clip, 1, false); // at once: no other frame comes between
      this.frame = image;
      this.pose = null;
      this.stir();
    });
  }

  /** Goes on with another engine, which the function `open` gives. */
  use(open) {
    return this.alone(async () => {
      this.engine.close();
      this.engine = await open();
      await this.engine.start(this.frame);
    });
  }

  /** The next frame, of the pose that comes next: {previous, pose, latent, frame, more}. */
  advance() {
    return this.alone(async () => {
      const given = this.player.next();
      const pose = given ?? this.pen.draw(this.body.at, this.body.depth);
      if (this.everyFrame) this.epsilon = this.random.normals(this.size);
      const latent = this.epsilon.map((value) => value * this.temperature);
      const same = this.pose && pose.every((value, i) => value === this.pose[i]);
      const chance = this.temperature > 0 && this.everyFrame;
      this.still = same && !chance && !this.player.playing ? this.still + 1 : 0;
      return { ...(await this.predict(latent, pose)), more: this.still < REST * this.rate };
    });
  }

  /** The next frame, of a pose image and of z; null takes the present pose and the mean. */
  step(latent = null, pose = null) {
    return this.alone(() => this.predict(
      latent ?? new Float32Array(this.size), pose ?? this.pen.draw(this.body.at, this.body.depth)));
  }

  async predict(latent, pose) {
    const previous = this.frame;
    this.frame = await this.engine.step(latent, pose);
    this.pose = pose;
    return { previous, pose, latent, frame: this.frame };
  }

  alone(work) {
    const result = this.turn.then(work);
    this.turn = result.catch(() => {}); // whoever asked handles it
    return result;
  }
}
