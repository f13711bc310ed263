// The dancer's joints, and what happens to the others when one is dragged. Arms and legs are chains
// of two bones; their lengths in the picture are kept.

const ARM = ["shoulder", "elbow", "wrist"];
const LEG = ["hip", "knee", "ankle"];
const HEAD = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"];
const SIDES = ["left", "right"];
const chain = (side, joints) => joints.map((joint) => `${side}_${joint}`);
const TRUNK = ["neck", "pelvis"];
// Each handle, and the joints that it needs; in the order in which the tab key reaches them.
const NEEDS = new Map([
  ["head", ["nose", "neck"]],
  ["neck", TRUNK],
  ...SIDES.flatMap((side) => [ARM, LEG].flatMap((joints) =>
    joints.slice(1).map((joint) => [`${side}_${joint}`, chain(side, joints)]))),
  ["pelvis", TRUNK],
]);

/** The names of all handles. */
export const HANDLES = [...NEEDS.keys()];

/** The joints of one person: `at` holds x and y of each in pixels of the frame, NaN if not visible. */
export class Body {
  /** @param names of the joints, as in the page's content. */
  constructor(names) {
    this.index = new Map(names.map((name, i) => [name, i]));
    this.at = new Float64Array(2 * names.length).fill(NaN);
    this.depth = null;
    this.held = null;
    this.bends = new Map();
  }

  /** Takes another pose: x and y of each joint, and depth or null. */
  set(joints, depth = null) {
    this.at.set(joints);
    this.depth = depth;
    this.held = null;
    this.bends.clear();
  }

  /** [x, y] of a joint; also of "neck", "pelvis" and "head", which are means of others. */
  point(name) {
    if (name === "neck") return middle(this.point("left_shoulder"), this.point("right_shoulder"));
    if (name === "pelvis") return middle(this.point("left_hip"), this.point("right_hip"));
    if (name === "head") return this.point("nose");
    const i = this.index.get(name);
    return i === undefined ? [NaN, NaN] : [this.at[2 * i], this.at[2 * i + 1]];
  }

  put(name, [x, y]) {
    const i = this.index.get(name);
    if (i === undefined) return;
    this.at[2 * i] = x;
    this.at[2 * i + 1] = y;
  }

  /** The names of the handles of which all joints that they need are visible. */
  handles() {
    return HANDLES.filter((handle) => NEEDS.get(handle).every((name) => known(this.point(name))));
  }

  /** Remembers the pose at the start of a drag: lengths and bends are kept as they are now. */
  hold(handle) {
    const start = new Map([...this.index.keys(), "neck", "pelvis"].map((n) => [n, this.point(n)]));
    const limbs = new Map();
    for (const side of SIDES) {
      for (const joints of [ARM, LEG]) {
        const names = chain(side, joints);
        const points = names.map((name) => start.get(name));
        limbs.set(names[2], this.limb(names, points, side));
      }
    }
    this.held = { handle, start, limbs, shift: [0, 0] };
  }

  /** What is kept of an arm or a leg: lengths, and the side to which it bends. */
  limb(names, points, side) {
    const [whole, upper] = [minus(points[2], points[0]), minus(points[1], points[0])];
    const cross = whole[0] * upper[1] - whole[1] * upper[0];
    // One that was just stretched is straight but for rounding; it bends as it did before.
    const straight = !(Math.abs(cross) > 1e-4 * length(whole) * length(upper));
    const bend = straight ? this.bends.get(names[2]) ?? (side === "left" ? 1 : -1) : Math.sign(cross);
    this.bends.set(names[2], bend);
    const lengths = [length(upper), length(minus(points[2], points[1]))];
    return { names, points, lengths, bend, whole: points.every(known) };
  }

  /** Moves the handle that is held towards a point; the pose depends on the start and the point. */
  move(target) {
    if (!this.held) return; // another pose came in the meantime
    const { handle, start } = this.held;
    for (const [name, point] of start) this.put(name, point);
    const [side, part] = handle.split("_");
    if (part === "wrist" || part === "ankle") this.reach(handle, target);
    else if (part === "elbow") this.turn(`${side}_shoulder`, handle, target, chain(side, ARM));
    else if (part === "knee") {
      this.turn(`${side}_hip`, handle, target, [...chain(side, LEG), `${side}_toe`]);
    } else if (handle === "head") this.turn("neck", "nose", target, HEAD);
    else if (handle === "neck") this.turn("pelvis", "neck", target, this.upper());
    else this.shiftPelvis(target);
  }

  /** Shoulders, arms and head. */
  upper() {
    return [...HEAD, ...SIDES.flatMap((side) => chain(side, ARM))];
  }

  /** Inverse kinematics of an arm or a leg: its end comes as near to the target as the bones allow. */
  reach(end, target) {
    const { names, lengths: [upper, lower], bend } = this.held.limbs.get(end);
    const root = this.point(names[0]);
    const old = this.point(end);
    let away = minus(target, root);
    if (!(length(away) > 1e-9)) away = minus(old, root);
    if (!(length(away) > 1e-9)) away = [0, 1];
    const distance = Math.min(Math.max(length(away), Math.abs(upper - lower)), upper + lower);
    const direction = Math.atan2(away[1], away[0]);
    // The law of cosines, for the angle between the upper bone and the way to the end.
    const cosine = (upper ** 2 + distance ** 2 - lower ** 2) / (2 * upper * distance);
    const angle = upper * distance > 1e-12 ? Math.acos(Math.min(Math.max(cosine, -1), 1)) : 0;
    this.put(names[1], plus(root, polar(direction + bend * angle, upper)));
    const place = plus(root, polar(direction, distance));
    this.put(end, place);
    if (end.endsWith("_ankle")) {
      const toe = end.replace("ankle", "toe");
      this.put(toe, plus(this.point(toe), minus(place, old)));
    }
  }

  /** Turns joints about a pivot, so that one of them points to the target. */
  turn(pivot, pointer, target, names) {
    const centre = this.point(pivot);
    const [from, to] = [minus(this.point(pointer), centre), minus(target, centre)];
    if (!(length(from) > 1e-9) || !(length(to) > 1e-9)) return;
    const angle = Math.atan2(to[1], to[0]) - Math.atan2(from[1], from[0]);
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    for (const name of names) {
      const [x, y] = minus(this.point(name), centre);
      if (name !== pivot) {
        this.put(name, plus(centre, [x * cosine - y * sine, x * sine + y * cosine]));
      }
    }
  }

  /** Moves all above the knees; the feet stay, so it moves only as far as the legs reach. */
  shiftPelvis(target) {
    const { start, limbs, shift: last } = this.held;
    let shift = minus(target, start.get("pelvis"));
    const legs = SIDES.map((side) => limbs.get(`${side}_ankle`)).filter(({ whole }) => whole);
    const slack = (leg, by) => {
      const far = length(minus(plus(leg.points[0], by), leg.points[2]));
      const [upper, lower] = leg.lengths;
      return [upper + lower - far, far - Math.abs(upper - lower)];
    };
    const possible = (by) => legs.every((leg) => slack(leg, by).every((rest) => rest >= -1e-9));
    // Back into the reach of one leg and then of the other, until both are satisfied.
    for (let round = 0; round < 50 && !possible(shift); round++) {
      for (const leg of legs) {
        const away = minus(plus(leg.points[0], shift), leg.points[2]);
        const far = length(away) || 1e-9;
        const [outer, inner] = slack(leg, shift);
        const move = outer < 0 ? outer : inner < 0 ? -inner : 0;
        shift = plus(shift, [away[0] / far * move, away[1] / far * move]);
      }
    }
    if (!possible(shift)) { // the last place that was possible, or on the way from there
      let [near, far] = [0, 1];
      const on = (t) => plus(last, [(shift[0] - last[0]) * t, (shift[1] - last[1]) * t]);
      for (let i = 0; i < 30; i++) {
        const half = (near + far) / 2;
        if (possible(on(half))) near = half;
        else far = half;
      }
      shift = on(near);
    }
    this.held.shift = shift;
    for (const name of [...this.upper(), ...SIDES.map((side) => `${side}_hip`)]) {
      this.put(name, plus(this.point(name), shift));
    }
    for (const { names, points } of legs) this.reach(names[2], points[2]);
  }
}

const known = ([x, y]) => Number.isFinite(x) && Number.isFinite(y);
const plus = (a, b) => [a[0] + b[0], a[1] + b[1]];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
const length = ([x, y]) => Math.hypot(x, y);
const polar = (angle, radius) => [radius * Math.cos(angle), radius * Math.sin(angle)];
