// Standard normal numbers from a seed: the same seed gives the same numbers in every browser.

/** A generator of random numbers. */
export class Noise {
  /** @param seed an integer. */
  constructor(seed) {
    this.state = seed >>> 0;
    this.spare = null;
  }

  /** Uniform in (0, 1): Mulberry32, of which 32 bits of state are enough for a game. */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let bits = this.state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (((bits ^ (bits >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  }

  /** One standard normal number, by the method of Box and Muller. */
  normal() {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** An array of standard normal numbers. */
  normals(count) {
    return Float32Array.from({ length: count }, () => this.normal());
  }
}
