// The skeleton on the page: its limbs as lines, and a button for each joint that can be moved.

import { HANDLES } from "play/body";

const NAMES = { neck: "upper body", pelvis: "hips" }; // of handles that are no single joint
const REACH = 36; // pixels of the screen from a handle at which it can be caught
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Shows a body and lets it be moved by mouse, finger and keyboard. */
export class Stage {
  /**
   * @param body the joints.
   * @param skeleton as in the page's content.
   * @param frameSize [height, width]
   * @param calls hold() when a joint is taken, move() after each movement.
   * @param guard function that makes a listener of which the errors are shown.
   */
  constructor(body, skeleton, [height, width], calls, guard) {
    Object.assign(this, { body, height, width, calls, guard, held: null, enabled: false });
    this.box = document.getElementById("handles");
    document.documentElement.style.setProperty("--aspect", width / height);
    this.limbs = drawLimbs(skeleton.limbs, width, height);
    const colours = coloursOf(skeleton.limbs);
    // Of all, as another pose may have joints that the present one has not.
    this.handles = new Map(HANDLES.map((name) => [name, this.handle(name, colours)]));
    this.box.replaceChildren(...this.handles.values());
    const listen = (type, work) => this.box.addEventListener(type, guard(work));
    listen("pointerdown", (event) => this.take(event));
    listen("pointermove", (event) => this.drag(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      listen(type, (event) => this.release(event));
    }
    this.place();
  }

  /** Shows what of the pose is visible. */
  place() {
    for (const [start, end, lines] of this.limbs) {
      const [a, b] = [this.body.point(start), this.body.point(end)];
      const seen = [...a, ...b].every(Number.isFinite);
      for (const line of lines) {
        line.style.display = seen ? "" : "none";
        if (!seen) continue;
        ["x1", "y1", "x2", "y2"].forEach((name, i) => line.setAttribute(name, [...a, ...b][i]));
      }
    }
    const there = new Set(this.body.handles());
    for (const [name, button] of this.handles) {
      button.hidden = !there.has(name);
      if (button.hidden) continue;
      const [x, y] = this.body.point(name);
      button.style.left = `${100 * clamp(x / this.width)}%`;
      button.style.top = `${100 * clamp(y / this.height)}%`;
      const label = `${NAMES[name] ?? name.replace("_", " ")}, x ${Math.round(x)} y ${Math.round(y)}`;
      if (button.ariaLabel !== label) button.setAttribute("aria-label", label);
    }
  }

  handle(name, colours) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "handle";
    button.dataset.joint = name;
    button.style.setProperty("--colour", colours.get(name) ?? "#ffffff");
    button.addEventListener("keydown", this.guard((event) => this.press(name, event)));
    return button;
  }

  /** [x, y] of an event in pixels of the frame, and how many pixels of the screen one of them is. */
  where(event) {
    const box = this.box.getBoundingClientRect();
    const scale = box.width / this.width;
    return { point: [(event.clientX - box.x) / scale, (event.clientY - box.y) / scale], scale };
  }

  /** The nearest handle is taken: on a phone they overlap. A second finger takes none. */
  take(event) {
    if (this.held || !this.enabled || event.button !== 0 || !event.target.dataset.joint) return;
    const { point, scale } = this.where(event);
    let [nearest, distance] = [null, REACH / scale];
    for (const name of this.body.handles()) {
      const place = this.body.point(name);
      const far = Math.hypot(place[0] - point[0], place[1] - point[1]);
      if (far < distance) [nearest, distance] = [name, far];
    }
    nearest ??= event.target.dataset.joint;
    event.preventDefault();
    const button = this.handles.get(nearest);
    button.focus({ preventScroll: true, focusVisible: false });
    button.classList.add("held");
    this.box.setPointerCapture(event.pointerId);
    this.calls.hold();
    this.body.hold(nearest);
    const place = this.body.point(nearest);
    // A finger that is a little away from the joint does not make it jump.
    const offset = [place[0] - point[0], place[1] - point[1]];
    this.held = { button, offset, pointer: event.pointerId };
  }

  drag(event) {
    if (event.pointerId !== this.held?.pointer) return;
    const { point } = this.where(event);
    const { offset } = this.held;
    this.moved([point[0] + offset[0], point[1] + offset[1]]);
  }

  release(event) {
    if (event.pointerId !== this.held?.pointer) return;
    this.held.button.classList.remove("held");
    this.held = null;
  }

  /** Arrow keys: a quarter of a pixel of a small frame; with Shift four times as far. */
  press(name, event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!this.enabled || this.held) return;
    event.preventDefault();
    const size = Math.max(0.25, Math.min(this.width, this.height) / 128) * (event.shiftKey ? 4 : 1);
    this.calls.hold();
    this.body.hold(name);
    const [x, y] = this.body.point(name);
    this.moved([x + arrow[0] * size, y + arrow[1] * size]);
  }

  /** A joint stays in the picture. */
  moved([x, y]) {
    const inside = (value, size) => Math.min(Math.max(value, 0), size);
    this.body.move([inside(x, this.width), inside(y, this.height)]);
    this.place();
    this.calls.move();
  }
}

function drawLimbs(limbs, width, height) {
  const svg = document.getElementById("limbs");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const drawn = limbs.map(([start, end, colour]) => {
    const lines = ["edge", "limb"].map((kind) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", kind);
      if (kind === "limb") line.style.stroke = `rgb(${colour})`;
      return line;
    });
    return [start, end, lines];
  });
  // All edges are below all limbs.
  svg.replaceChildren(...[0, 1].flatMap((layer) => drawn.map(([, , lines]) => lines[layer])));
  return drawn;
}

/** Of each joint: the colour of the limb that ends there. */
function coloursOf(limbs) {
  return new Map(limbs.map(([, end, colour]) => [end, `rgb(${colour})`]));
}

const clamp = (value) => Math.min(Math.max(value, 0), 1);
