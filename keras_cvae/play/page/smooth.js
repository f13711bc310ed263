// Small frames, enlarged: by Catmull-Rom splines, so they are smooth and look alike in every browser.

const WIDE = 512; // pixels that a picture is about across

/** Paints frames of one size on a canvas. */
export class Painter {
  /**
   * @param canvas gets a whole multiple of the size of the frames.
   * @param frameSize [height, width]
   * @param factor how many times larger; by default so that a picture is about 512 pixels wide.
   */
  constructor(canvas, [height, width], factor = Math.max(1, Math.round(WIDE / width))) {
    Object.assign(this, { height, width, factor });
    canvas.width = width * factor;
    canvas.height = height * factor;
    this.pen = canvas.getContext("2d");
    this.image = new ImageData(canvas.width, canvas.height);
    this.image.data.fill(255); // opaque
    this.wide = new Float32Array(width * 3); // one row of the picture, before it is widened
    this.rows = taps(height, factor);
    this.columns = taps(width, factor);
  }

  /** @param frame Uint8Array of height * width * 3. */
  paint(frame) {
    const { width, wide, rows, columns, image: { data, width: across, height: down } } = this;
    const row = width * 3;
    for (let y = 0, at = 0; y < down; y++) {
      const [a, b, c, d] = rows.places.subarray(4 * y, 4 * y + 4).map((place) => place * row);
      const [p, q, r, s] = rows.weights.subarray(4 * y, 4 * y + 4);
      for (let i = 0; i < row; i++) {
        wide[i] = p * frame[a + i] + q * frame[b + i] + r * frame[c + i] + s * frame[d + i];
      }
      const { places, weights } = columns;
      for (let x = 0; x < 4 * across; x += 4, at += 4) {
        const e = places[x] * 3, f = places[x + 1] * 3, g = places[x + 2] * 3, h = places[x + 3] * 3;
        const t = weights[x], u = weights[x + 1], v = weights[x + 2], w = weights[x + 3];
        for (let i = 0; i < 3; i++) { // the array rounds and clips
          data[at + i] = t * wide[e + i] + u * wide[f + i] + v * wide[g + i] + w * wide[h + i];
        }
      }
    }
    this.pen.putImageData(this.image, 0, 0);
  }
}

/** For each pixel of an enlarged line: four pixels of the line, and their weights. */
function taps(count, factor) {
  const [places, weights] = [[], []];
  for (let i = 0; i < count * factor; i++) {
    const at = factor === 1 ? i : (i + 0.5) / factor - 0.5;
    const first = Math.floor(at);
    const t = at - first;
    places.push([-1, 0, 1, 2].map((by) => Math.min(Math.max(first + by, 0), count - 1)));
    weights.push([
      ((2 - t) * t - 1) * t / 2,
      ((3 * t - 5) * t * t + 2) / 2,
      ((4 - 3 * t) * t + 1) * t / 2,
      (t - 1) * t * t / 2,
    ]);
  }
  return { places: Int32Array.from(places.flat()), weights: Float32Array.from(weights.flat()) };
}
