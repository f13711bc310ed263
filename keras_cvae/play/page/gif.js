// Animated GIFs. A frame of up to 256 colours is kept exactly; of another, similar colours become
// one. Each frame has a palette of its own.

const MOST = 256;
const SLOTS = 2 ** 14; // of the table of up to 4096 strings: few lie where they collide

/** Writes frames as they come, so that only compressed ones are kept. */
export class GifWriter {
  /**
   * @param size [height, width] of the frames.
   * @param scale how many pixels of the GIF a pixel of a frame becomes, in each direction.
   */
  constructor([height, width], scale) {
    Object.assign(this, { height, width, scale });
    this.strings = new Int32Array(SLOTS); // see compress
    this.codes = new Uint16Array(SLOTS);
    const header = [...ascii("GIF89a"), ...word(width * scale), ...word(height * scale), 0x70, 0, 0];
    const forever = [0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, 0, 0, 0];
    this.parts = [Uint8Array.from([...header, ...forever])];
  }

  /** Appends a frame, height * width * 3 bytes, that is seen for so many hundredths of a second. */
  add(frame, delay) {
    const { colours, indices } = palette(frame);
    const bits = Math.max(2, Math.ceil(Math.log2(colours.length))); // of an index
    const table = new Uint8Array(3 * 2 ** bits);
    table.set(colours.flat());
    const control = [0x21, 0xf9, 4, 4, ...word(delay), 0, 0];
    const [width, height] = [this.width * this.scale, this.height * this.scale];
    const place = [0x2c, 0, 0, 0, 0, ...word(width), ...word(height), 0x80 | (bits - 1)];
    this.parts.push(Uint8Array.from([...control, ...place]), table,
      ...this.compress(this.enlarge(indices), bits));
  }

  /** The whole file. */
  blob() {
    return new Blob([...this.parts, Uint8Array.of(0x3b)], { type: "image/gif" });
  }

  enlarge(indices) {
    const { width, height, scale } = this;
    if (scale === 1) return indices;
    const large = new Uint8Array(width * height * scale ** 2);
    const stride = width * scale;
    for (let y = 0; y < height; y++) {
      const row = y * scale * stride;
      for (let x = 0; x < stride; x++) large[row + x] = indices[y * width + Math.floor(x / scale)];
      for (let i = 1; i < scale; i++) large.copyWithin(row + i * stride, row, row + stride);
    }
    return large;
  }

  /** LZW, in blocks of at most 255 bytes. */
  compress(pixels, bits) {
    // A string is known by the code of all but its last pixel, and that pixel.
    const { strings, codes } = this;
    strings.fill(-1);
    const [clear, end] = [2 ** bits, 2 ** bits + 1];
    const bytes = [];
    let [next, size, buffer, filled] = [end + 1, bits + 1, 0, 0];
    const write = (code) => {
      buffer |= code << filled;
      for (filled += size; filled >= 8; filled -= 8) {
        bytes.push(buffer & 255);
        buffer >>>= 8;
      }
    };
    write(clear);
    let prefix = pixels[0];
    for (let i = 1; i < pixels.length; i++) {
      const string = (prefix << 8) | pixels[i];
      let slot = Math.imul(string, 0x9e3779b1) >>> 18;
      while (strings[slot] !== string && strings[slot] !== -1) slot = (slot + 1) % SLOTS;
      if (strings[slot] === string) {
        prefix = codes[slot];
        continue;
      }
      write(prefix);
      prefix = pixels[i];
      if (next === 4096) {
        write(clear);
        [next, size] = [end + 1, bits + 1];
        strings.fill(-1);
      } else {
        if (next === 2 ** size) size++; // the reader's table is one code behind
        strings[slot] = string;
        codes[slot] = next++;
      }
    }
    write(prefix);
    if (next === 2 ** size && size < 12) size++;
    write(end);
    if (filled) bytes.push(buffer & 255);
    const blocks = [Uint8Array.of(bits)];
    for (let i = 0; i < bytes.length; i += 255) {
      const block = bytes.slice(i, i + 255);
      blocks.push(Uint8Array.from([block.length, ...block]));
    }
    blocks.push(Uint8Array.of(0));
    return blocks;
  }
}

/** At most 256 colours for a frame, and the index of each pixel's. */
function palette(frame) {
  const counts = new Map();
  for (let i = 0; i < frame.length; i += 3) {
    const colour = (frame[i] << 16) | (frame[i + 1] << 8) | frame[i + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const all = [...counts].map(([colour, count]) =>
    ({ colour, count, rgb: [colour >> 16, (colour >> 8) & 255, colour & 255] }));
  const boxes = all.length <= MOST ? all.map((each) => boxOf([each])) : split(boxOf(all));
  const index = new Map();
  boxes.forEach((box, i) => box.members.forEach(({ colour }) => index.set(colour, i)));
  const indices = new Uint8Array(frame.length / 3);
  for (let i = 0; i < indices.length; i++) {
    const colour = (frame[3 * i] << 16) | (frame[3 * i + 1] << 8) | frame[3 * i + 2];
    indices[i] = index.get(colour);
  }
  return { colours: boxes.map(({ mean }) => mean.map(Math.round)), indices };
}

/** Divides the box with the largest squared error at its mean, until there are enough. */
function split(whole) {
  const boxes = [whole];
  while (boxes.length < MOST) {
    const worst = boxes.reduce((a, b) => (b.error > a.error ? b : a));
    if (worst.error <= 0) break;
    const { members, mean, axis } = worst;
    const low = members.filter(({ rgb }) => rgb[axis] <= mean[axis]);
    const high = members.filter(({ rgb }) => rgb[axis] > mean[axis]);
    if (!low.length || !high.length) worst.error = 0; // equal but for rounding
    else boxes.splice(boxes.indexOf(worst), 1, boxOf(low), boxOf(high));
  }
  return boxes;
}

function boxOf(members) {
  let count = 0;
  const [sums, squares] = [[0, 0, 0], [0, 0, 0]];
  for (const each of members) {
    count += each.count;
    for (let c = 0; c < 3; c++) {
      sums[c] += each.count * each.rgb[c];
      squares[c] += each.count * each.rgb[c] ** 2;
    }
  }
  const mean = sums.map((sum) => sum / count);
  const errors = squares.map((square, c) => square - sums[c] * mean[c]);
  const error = Math.max(...errors);
  return { members, mean, error: members.length > 1 ? error : 0, axis: errors.indexOf(error) };
}

const ascii = (text) => [...text].map((letter) => letter.charCodeAt(0));
const word = (value) => [value & 255, value >> 8];
