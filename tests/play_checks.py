"""What the tests of the page share."""

import base64
import os
import zlib

import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.play.web_runtime import web_runtime

# Waits until the page predicts nothing any more, as it does while nothing changes.
AT_REST = """(async () => {
  await playground.ready;
  playground.stop();
  const { engine } = playground, { step } = engine;
  let last = performance.now();
  engine.step = (...given) => { last = performance.now(); return step.apply(engine, given); };
  while (performance.now() - last < 700) await new Promise((done) => setTimeout(done, 50));
  engine.step = step;
})()"""

# The frame after so many steps of the present pose that it hardly changes any more.
SETTLED = """(async () => {
  for (let n = 0; n < 20; n++) await playground.step();
  return playground.step();
})()"""

# The frames of the choreography by its pose images, one after the other, as bytes.
ROLLOUT = """(async () => {
  const { content, engine } = playground;
  const size = content.frame_size[0] * content.frame_size[1] * 3;
  const poses = content.choreography.poses.data;
  const noise = new Float32Array(%s);
  const found = new Uint8Array(%d * size);
  await engine.start(content.starts[0].image.data);
  for (let t = 1; t <= %d; t++) {
    const frame = await engine.step(noise, poses.subarray(t * size, (t + 1) * size));
    found.set(frame, (t - 1) * size);
  }
  return found;
})()"""

# A request of the page, and the part of its policy that refuses it.
REQUEST = """new Promise((resolve) => {
  document.addEventListener("securitypolicyviolation",
    (event) => resolve(event.effectiveDirective), { once: true });
  fetch("http://127.0.0.1:9/").catch(() => {});
})"""


def unpacked(packed):
    """The array that `packing.pack` made JSON of, as the page reads it; `None` of `None`."""
    if packed is None:
        return None
    data = zlib.decompress(base64.b64decode(packed["data"], validate=True))
    return np.frombuffer(data, np.dtype(packed["dtype"]).newbyteorder("<")).reshape(packed["shape"])


def needs_the_web_runtime():
    """Skips a test where ONNX Runtime Web cannot be had, and gives it otherwise."""
    try:
        return web_runtime()
    except UserError as error:
        # Where the browser was installed for the tests, this is a failure.
        assert not os.environ.get("KERAS_CVAE_BROWSER"), error
        pytest.skip(str(error))


def rollout(page, noise, count):
    """Frames 1..count that the engine of a page predicts, each with the same noise."""
    page.evaluate(AT_REST)
    text = ROLLOUT % (np.asarray(noise).ravel().tolist(), count, count)
    return np.frombuffer(page.evaluate_bytes(text, timeout=60), np.uint8)


def check_a_dragged_wrist(page):
    """The picture changes where the wrist was and where it is now, and hardly anywhere else."""

    def wrist():
        index = page.evaluate("playground.content.skeleton.joints").index("left_wrist")
        return np.array(page.evaluate("playground.joints()")[2 * index : 2 * index + 2])

    def settled():
        frame = page.evaluate_bytes(SETTLED)
        return np.frombuffer(frame, np.uint8).reshape(32, 64, 3)

    page.click("#back")
    before, old = settled(), wrist()
    scale = page.box("#frame")[2] / 64
    x, y = page.centre("[data-joint=left_wrist]")
    page.drag((x, y), [(x + step * scale, y - step * scale) for step in range(1, 7)])
    after, new = settled(), wrist()
    assert np.abs(new - old).max() > 3
    changed = np.abs(after.astype(int) - before).mean(axis=-1)
    rows, columns = np.mgrid[:32, :64] + 0.5
    distance = [np.hypot(columns - x, rows - y) for x, y in (old, new)]
    near = np.minimum(*distance) < 5
    assert changed[near].mean() > 4 * changed[~near].mean()
    assert changed[near].max() > 40
