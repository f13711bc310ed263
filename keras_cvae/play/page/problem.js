// What goes wrong is said on the page, in words.

const find = (id) => document.getElementById(id);

/** The sentence at the top of the page. */
export class Problem {
  lost = false; // whether there are no more frames; this is said until there are again

  /** Adds a listener. What goes wrong in it is said, and what was said before is over. */
  on = (element, type, work) => {
    const guarded = this.guard(work);
    element.addEventListener(type, (event) => {
      if (!this.lost) this.clear();
      guarded(event);
    });
  };

  /** The same function, but what goes wrong in it is said. */
  guard = (work) => async (...given) => {
    try {
      await work(...given);
    } catch (error) {
      this.say(error);
    }
  };

  say(error) {
    find("problem-text").textContent = error.message;
    find("problem").hidden = false;
  }

  /** Says why there are no more frames, and whether another connection may help. */
  lose(error, again) {
    this.lost = true;
    find("reconnect").hidden = !again;
    this.say(error);
  }

  clear() {
    this.lost = false;
    find("reconnect").hidden = true;
    find("problem").hidden = true;
  }
}
