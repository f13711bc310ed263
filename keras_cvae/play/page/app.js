// The page: wires controls, skeleton, model and pictures.

import { Body } from "play/body";
import { readContent, readDance, readSetup, sameModel } from "play/content";
import { Game } from "play/game";
import { Loop } from "play/loop";
import { show, showLatent } from "play/pictures";
import { Player } from "play/player";
import { playground } from "play/playground";
import { Problem } from "play/problem";
import { Recorder } from "play/record";
import { Painter } from "play/smooth";
import { Stage } from "play/stage";
import { Starts } from "play/starts";

const find = (id) => document.getElementById(id);
const named = (name, on, off, active) => { find(name).textContent = active ? on : off; };

class App {
  problem = new Problem();

  async open() {
    this.setup = readSetup();
    this.content = await readContent(this.setup);
    const { content } = this;
    this.body = new Body(content.skeleton.joints);
    this.player = new Player(this.body);
    this.game = new Game(content, await this.connect(), this.body, this.player);
    this.painter = new Painter(find("frame"), content.frame_size);
    this.loop = new Loop(() => this.game.rate, () => this.turn());
    this.asked = 0;
    this.seed = Math.floor(Math.random() * 1e9); // of the next dance
    const [first] = content.starts;
    this.body.set(first.joints.data, first.depth?.data);
    this.stage = new Stage(this.body, content.skeleton, content.frame_size, {
      hold: () => this.pause(),
      move: () => this.stir(),
    }, this.problem.guard);
    this.describe();
    this.listen();
    this.starts = new Starts(content, this.body, (...given) => this.begin(...given), this.problem.on);
    const begun = () => this.stir();
    this.recorder = new Recorder(find("frame"), content.frame_size, begun, this.problem.guard);
    this.problem.on(find("record"), "click", () => this.recorder.toggle());
    await this.starts.choose(0);
    this.enable();
    this.loop.start();
  }

  /** An engine: another socket, or the model in this browser. */
  async connect() {
    const remote = this.setup.engine === "remote";
    const { Engine } = await import(remote ? "play/remote" : "play/local");
    const engine = await Engine.open(this.setup, this.content);
    engine.onlost = (reason) => this.fail(new Error(reason));
    return engine;
  }

  get engine() {
    return this.game?.engine;
  }

  /** Lets the user at the controls, except those that do nothing for this model. */
  enable() {
    for (const each of document.querySelectorAll(":disabled")) each.disabled = false;
    find("choreography").disabled = !this.content.choreography;
    find("dance").disabled = this.setup.engine !== "remote" && !this.content.dances.length;
    this.setTemperature();
    this.stage.enabled = true;
    find("loading").hidden = true;
    find("playground").removeAttribute("aria-busy");
  }

  /** What is fixed for a model. */
  describe() {
    const { name, frame_size: [height, width], temperature, latent, choreography } = this.content;
    find("model").textContent = `${name}, ${width} × ${height} pixels`;
    find("temperature").value = temperature;
    find("latent-note").textContent = latent ?? "";
    find("latent-note").hidden = !latent;
    if (choreography) return;
    find("status").textContent = "This model comes without the video on which it was validated, " +
      "so there is no choreography to play.";
    find("status").hidden = false;
  }

  listen() {
    const on = (id, type, work) => this.problem.on(find(id), type, work);
    on("choreography", "click", () => this.toggle("choreography"));
    on("dance", "click", () => this.toggle("dance"));
    on("back", "click", () => this.starts.again());
    on("temperature", "input", () => this.setTemperature());
    const box = (id, work) => {
      const take = () => work(find(id).checked);
      on(id, "change", take);
      take(); // a browser may have kept what was ticked before the page was loaded again
    };
    box("show-skeleton", (shown) => find("stage").classList.toggle("bare", !shown));
    box("every-frame", (chosen) => {
      this.game.everyFrame = chosen;
      this.stir();
    });
    on("new-z", "click", () => {
      find("every-frame").checked = this.game.everyFrame = false; // else it would be gone at once
      this.game.newLatent();
      this.stir();
    });
    on("reconnect", "click", () => this.reconnect());
  }

  /** One turn of the loop: a frame is predicted and shown. */
  async turn() {
    try {
      const turn = await this.game.advance();
      this.show(turn);
      this.count(turn.more);
      if (this.player.finished) await this.finish();
      return turn.more;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  show({ previous, pose, latent, frame }) {
    const { frame_size: size, latent_shape: shape } = this.content;
    this.painter.paint(frame);
    show(find("see-previous"), previous, size);
    show(find("see-pose"), pose, size);
    showLatent(find("see-latent"), latent, shape);
    if (!this.stage.held) this.stage.place();
    this.recorder.add(frame);
  }

  /** Says how many frames a second there are. */
  count(more) {
    const now = performance.now();
    this.counted = (this.counted ?? []).filter((time) => now - time < 1000).concat(now);
    if (more && now - (this.said ?? 0) < 500) return; // legible
    this.said = now;
    const speed = more ? `${this.counted.length} frames per second` : "waiting for a movement";
    find("speed").textContent = `, ${speed}`;
  }

  stir() {
    this.game.stir();
    this.loop.wake();
  }

  async begin(first, clip = null) {
    this.pause();
    await this.game.start(first, clip);
    this.kind = clip && "choreography";
    this.label();
    this.stage.place();
    this.painter.paint(first.image);
    this.stir();
  }

  /** Plays or pauses the choreography or a dance. */
  async toggle(kind) {
    if (this.kind === kind && this.player.playing) this.pause();
    else await this.play(kind);
  }

  async play(kind) {
    if (this.kind === kind && this.player.clip && !this.player.finished) this.player.resume();
    else if (kind === "choreography") {
      await this.starts.choose(0, this.content.choreography); // which begins with that frame
    } else if (!(await this.dance())) return;
    this.kind = kind;
    this.label();
    this.stir();
  }

  /** Plays another dance, unless something else was asked for while it was fetched. */
  async dance() {
    const asked = ++this.asked;
    const clip = await readDance(this.setup, this.content, this.seed++);
    if (asked === this.asked) this.player.play(clip, 0, true);
    return asked === this.asked;
  }

  async finish() {
    if (this.kind === "dance") await this.dance();
    else {
      this.player.stop();
      this.label();
    }
  }

  pause() {
    this.asked++;
    this.player.pause();
    this.label();
  }

  label() {
    const playing = this.player.playing && this.kind;
    named("choreography", "Pause", "Play choreography", playing === "choreography");
    named("dance", "Pause", "Random dance", playing === "dance");
    find("stage").classList.toggle("playing", Boolean(playing));
  }

  setTemperature() {
    const { value } = find("temperature");
    this.game.temperature = Number(value);
    find("temperature-value").textContent = Number(value).toFixed(2);
    find("new-z").disabled = !this.game.temperature; // z is 0 whatever is drawn
    this.stir();
  }

  async reconnect() {
    if (this.connecting) return; // a double click
    this.connecting = true;
    try {
      if (!(await sameModel(this.content))) {
        location.reload();
        return;
      }
      await this.game.use(() => this.connect());
    } finally {
      this.connecting = false;
    }
    this.problem.clear();
    this.stir();
    this.loop.start();
  }

  /** There are no more frames. */
  fail(error) {
    this.loop?.end();
    find("loading").hidden = true;
    this.problem.lose(error, this.loop && this.setup.engine === "remote");
  }
}

const app = new App();
window.playground = playground(app, app.open());
window.playground.ready.catch((error) => app.fail(error));
