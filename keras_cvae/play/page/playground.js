// `window.playground`, for the browser's console and for tests: plays without mouse and keyboard.

/**
 * await playground.ready, then:
 * - joints(), setJoints(joints, depth): x and y of each joint; one that is not visible is null.
 * - drawPose(joints, depth): a pose image.
 * - step(latent, pose): one more frame, by default of the mean of z and of the present pose.
 * - play("choreography" or "dance"), stop().
 * - content, engine: what the model is, and what runs it.
 * Images are Uint8Arrays of height * width * 3.
 */
export function playground(app, ready) {
  const known = (joints) => Array.from(joints, (value) => value ?? NaN);
  return {
    ready,
    get content() { return app.content; },
    get engine() { return app.engine; },
    joints: () => Array.from(app.body.at),
    setJoints(joints, depth = null) {
      app.pause();
      app.body.set(known(joints), depth);
      app.stage.place();
      app.stir();
    },
    drawPose: (joints, depth = null) => app.game.pen.draw(known(joints), depth),
    async step(latent = null, pose = null) {
      app.pause();
      const turn = await app.game.step(latent, pose);
      app.show(turn);
      return turn.frame;
    },
    play: (kind) => app.play(kind),
    stop: () => app.pause(),
  };
}
