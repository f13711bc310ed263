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
    this.tall = new Float32Array(canvas.height * width * 3);
    this.rows = taps(height, factor);
    this.columns = taps(width, factor);
  }

  /** @param frame Uint8Array of height * width * 3. */
  paint(frame) {
    const { width, tall, rows, columns, image: { data, width: across, height: down } } = this;
    const row = width * 3;
    for (let y = 0; y < down; y++) {
      const [a, b, c, d] = rows.places[y].map((place) => place * row);
      const [p, q, r, s] = rows.weights[y];
      for (let i = 0, at = y * row; i < row; i++, at++) {
        tall[at] = p * frame[a + i] + q * frame[b + i] + r * frame[c + i] + s * frame[d + i];
      }
    }
    for (let x = 0; x < across; x++) {
      const [a, b, c, d] = columns.places[x].map((place) => place * 3);
      const [p, q, r, s] = columns.weights[x];
      for (let y = 0, from = 0, at = x * 4; y < down; y++, from += row, at += across * 4) {
        for (let i = from; i < from + 3; i++) { // the array rounds and clips
          data[at + i - from] = p * tall[a + i] + q * tall[b + i] + r * tall[c + i] + s * tall[d + i];
        }
        data[at + 3] = 255;
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
  return { places, weights };
}
