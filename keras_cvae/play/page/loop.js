// Turns of the page: so many a second, one after the other, and none while nothing is to be done.

/** Calls an asynchronous function again and again; a slow one lowers the rate, nothing queues. */
export class Loop {
  /**
   * @param rate function that says how many turns a second there are now, at most.
   * @param turn async function that returns whether there is more to do.
   */
  constructor(rate, turn) {
    this.rate = rate;
    this.turn = turn;
    this.running = this.woken = false;
    this.ended = true; // until it is started
    document.addEventListener("visibilitychange", () => this.wake());
  }

  /** There is something to do. */
  wake() {
    this.woken = true;
    if (!this.running && !this.ended && !document.hidden) this.run();
  }

  /** No more turns, until `start`. */
  end() {
    this.ended = true;
  }

  start() {
    this.ended = false;
    this.wake();
  }

  async run() {
    this.running = true;
    let due = performance.now();
    while (this.woken && !this.ended && !document.hidden) {
      this.woken = false;
      if (await this.turn()) this.woken = true;
      due = Math.max(due + 1000 / this.rate(), performance.now());
      await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    }
    this.running = false;
  }
}
