// Pose images: a coloured skeleton on black, as draw_skeleton of keras_cvae/data/skeleton.py draws
// them. The model knows only such images, so the browser's own lines would not do: they differ from
// OpenCV's, and from one browser to the next.

const FRACTIONS = 16; // OpenCV's coordinates are multiples of 1/16 pixel of the canvas
const FARTHEST = 1e6;
// OpenCV's anti-aliased lines are a little wider than asked for, and their edges are soft. Measured
// in pixels of the canvas: where the edge of a side and of a round end begins and how wide it is.
const SIDE = { start: -0.13, width: 1.6 };
const END = { start: -0.3, width: 1.75 };

/** Draws pose images of one size. */
export class SkeletonPen {
  /**
   * @param skeleton joints, limbs, supersampling and line, as in the page's content.
   * @param frameSize [height, width]
   */
  constructor(skeleton, [height, width]) {
    const index = new Map(skeleton.joints.map((name, i) => [name, i]));
    this.neck = skeleton.joints.length;
    this.shoulders = [index.get("left_shoulder"), index.get("right_shoulder")];
    index.set("neck", this.neck);
    this.limbs = skeleton.limbs.map(([start, end, colour]) =>
      ({ start: index.get(start), end: index.get(end), colour }));
    this.scale = skeleton.supersampling;
    this.line = skeleton.line;
    this.height = height;
    this.width = width;
    this.canvas = new Uint8Array(height * width * 3 * this.scale ** 2);
  }

  /**
   * @param joints x and y of each joint in pixels; one that is not visible is NaN.
   * @param depth of each joint, larger is nearer; or null.
   * @returns Uint8Array of height * width * 3
   */
  draw(joints, depth = null) {
    const points = this.points(joints);
    let order = this.limbs;
    if (depth) {
      const [left, right] = this.shoulders;
      const z = [...depth, (depth[left] + depth[right]) / 2];
      const key = ({ start, end }) => (Number.isNaN(z[start] + z[end]) ? Infinity : z[start] + z[end]);
      order = this.limbs.map((limb) => ({ limb, z: key(limb) }))
        .sort((a, b) => (a.z < b.z ? -1 : a.z > b.z ? 1 : 0)).map(({ limb }) => limb);
    }
    this.canvas.fill(0);
    for (const { start, end, colour } of order) {
      if (points[start] && points[end]) this.capsule(points[start], points[end], colour);
    }
    return this.shrink();
  }

  /** [x, y] of each joint and the neck on the canvas; null where one is not visible. */
  points(joints) {
    const found = [];
    for (let i = 0; i < this.neck; i++) found.push(visible(joints[2 * i], joints[2 * i + 1]));
    const [left, right] = this.shoulders.map((i) => found[i]);
    found.push(left && right && [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2]);
    const round = (value) => Math.round((value * this.scale - 0.5) * FRACTIONS) / FRACTIONS;
    return found.map((point) => point && point.map(round));
  }

  /** A thick line with round ends. */
  capsule([x0, y0], [x1, y1], colour) {
    const { canvas, line } = this;
    const [columns, rows] = [this.width * this.scale, this.height * this.scale];
    const radius = line > 1 ? line / 2 : 0;
    const half = line > 1 && line % 2 ? radius + 0.5 : radius; // OpenCV's odd lines are wider
    const reach = half + 2;
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = Math.hypot(dx, dy);
    const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach));
    const right = Math.min(columns - 1, Math.floor(Math.max(x0, x1) + reach));
    const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach));
    const bottom = Math.min(rows - 1, Math.floor(Math.max(y0, y1) + reach));
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const across = length ? Math.abs((x - x0) * dy - (y - y0) * dx) / length : 0;
        if (across > reach) continue;
        const along = length ? ((x - x0) * dx + (y - y0) * dy) / length : -1;
        const inside = length && along >= 0 && along <= length;
        const near = along * 2 < length ? Math.hypot(x - x0, y - y0) : Math.hypot(x - x1, y - y1);
        const side = inside ? coverage(across - half, SIDE) : 0;
        const cover = 1 - (1 - side) * (1 - coverage(near - radius, END)); // drawn one after the other
        if (!cover) continue;
        const at = (y * columns + x) * 3;
        for (let c = 0; c < 3; c++) canvas[at + c] += Math.round(cover * (colour[c] - canvas[at + c]));
      }
    }
  }

  /** The mean of each block of the canvas. */
  shrink() {
    const { canvas, scale, width, height } = this;
    const image = new Uint8Array(height * width * 3);
    const stride = width * scale * 3;
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const corner = y * scale * stride + x * scale * 3;
        for (let c = 0; c < 3; c++, at++) {
          let sum = 0;
          for (let row = 0; row < scale; row++) {
            for (let i = 0; i < scale; i++) sum += canvas[corner + row * stride + i * 3 + c];
          }
          image[at] = Math.round(sum / scale ** 2);
        }
      }
    }
    return image;
  }
}

function visible(x, y) {
  const unseen = (x === 0 && y === 0) || (x === -1 && y === -1);
  return !unseen && Math.abs(x) <= FARTHEST && Math.abs(y) <= FARTHEST ? [x, y] : null;
}

/** How much of a pixel is covered, by its distance from the edge of the line. */
function coverage(distance, { start, width }) {
  const t = 1 - (distance - start) / width;
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}
