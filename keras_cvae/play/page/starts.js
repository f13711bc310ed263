// The first frame: one of those that come with the model, or a picture of the user's.

import { readPicture, show } from "play/pictures";

const box = document.getElementById("starts");

/** Thumbnails to choose from, and the choice. */
export class Starts {
  /**
   * @param content of the model.
   * @param body whose pose stays with a picture of the user's.
   * @param begin async function that begins with a first frame: {image, joints, depth}, and a clip.
   * @param on function that adds a listener whose errors are shown.
   */
  constructor(content, body, begin, on) {
    Object.assign(this, { content, body, begin });
    box.replaceChildren(...content.starts.map(({ name, image }, i) => {
      const [button, canvas] = ["button", "canvas"].map((tag) => document.createElement(tag));
      button.type = "button";
      button.title = name;
      button.setAttribute("aria-label", name);
      button.append(canvas);
      show(canvas, image.data, content.frame_size);
      on(button, "click", () => this.choose(i));
      return button;
    }));
    on(document.getElementById("own"), "change", ({ target }) => this.takeOwn(target));
  }

  /** Begins with one of the given first frames; a clip may follow. */
  async choose(index, clip = null) {
    const { image, joints, depth } = this.content.starts[index];
    this.mark(index);
    this.chosen = { image: image.data, joints: joints.data, depth: depth?.data ?? null };
    await this.begin(this.chosen, clip);
  }

  /** Begins with the user's picture; the skeleton stays. */
  async takeOwn(input) {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (!file) return;
    const image = await readPicture(file, this.content.frame_size);
    this.mark(-1);
    this.chosen = { image, joints: Float64Array.from(this.body.at), depth: this.body.depth };
    await this.again();
  }

  /** Begins with the frame that was chosen last. */
  again() {
    return this.begin(this.chosen);
  }

  mark(index) {
    [...box.children].forEach((each, i) => each.setAttribute("aria-pressed", i === index));
  }
}
