// Which pose comes next: the one that was dragged, or one of a dance that plays.

const BLEND = 12; // frames from where the dancer stands to where a dance goes on

/** Plays clips - {joints, depth, poses} of several frames - on a body. */
export class Player {
  constructor(body) {
    this.body = body;
    this.stop();
  }

  /** Forgets the clip. */
  stop() {
    this.clip = null;
    this.playing = false;
  }

  /** Keeps the clip and its place. */
  pause() {
    this.playing = false;
  }

  /**
   * Plays a clip.
   * @param at the first of its frames that is shown.
   * @param blend whether the body moves there first, instead of being there in the next frame.
   */
  play(clip, at, blend) {
    Object.assign(this, { clip, at, playing: true });
    this.blend = blend ? 1 : BLEND;
    const { body } = this;
    this.from = { joints: Float64Array.from(body.at), depth: body.depth };
  }

  /** Goes on with the clip that was paused. */
  resume() {
    this.play(this.clip, this.at, true);
  }

  /** Whether a clip plays and has no more frames. */
  get finished() {
    return this.playing && this.at >= this.clip.joints.shape[0];
  }

  /** Moves the body by a frame; returns the pose image if the clip has one. */
  next() {
    if (!this.playing || this.finished) return null;
    const { clip, at } = this;
    const joints = rowOf(clip.joints, at);
    const depth = clip.depth && rowOf(clip.depth, at);
    if (this.blend < BLEND) {
      const t = this.blend++ / BLEND;
      const { from } = this;
      this.body.set(mix(from.joints, joints, t), depth && from.depth ? mix(from.depth, depth, t) : depth);
      return null;
    }
    this.at++;
    this.body.set(joints, depth);
    return clip.poses ? rowOf(clip.poses, at) : null;
  }
}

/** One row of an unpacked array. */
export function rowOf({ shape, data }, row) {
  const size = data.length / shape[0];
  return data.subarray(row * size, (row + 1) * size);
}

function mix(from, to, t) {
  const ease = t * t * (3 - 2 * t);
  return Float64Array.from(to, (value, i) =>
    (Number.isNaN(from[i]) ? value : from[i] + (value - from[i]) * ease));
}
