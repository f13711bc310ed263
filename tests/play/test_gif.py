"""GIFs that the page makes, as others read them."""

import base64
import io
import time

import cv2
import numpy as np
import pytest
from page_server import page_server, ready
from PIL import Image, ImageSequence

WRITE = """(async () => {{
  const {{ GifWriter }} = await import("play/gif");
  const data = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
  const size = {height} * {width} * 3;
  const writer = new GifWriter([{height}, {width}], {scale});
  for (let at = 0; at < data.length; at += size) writer.add(data.subarray(at, at + size), 4);
  return new Uint8Array(await writer.blob().arrayBuffer());
}})()"""
FIRST_LINK = "fetch(document.querySelector('#downloads a').href).then((it) => it.bytes())"
LINKS = """Promise.all([...document.querySelectorAll("#downloads a")].map(async (link) =>
  [link.download, (await (await fetch(link.href)).blob()).type]))"""


def written(page, frames, scale):
    data = base64.b64encode(frames.tobytes()).decode()
    _, height, width, _ = frames.shape
    return page.evaluate_bytes(WRITE.format(data=data, height=height, width=width, scale=scale))


def read(gif):
    """The frames and the milliseconds of each, of Pillow; OpenCV must read the same frames."""
    image = Image.open(io.BytesIO(gif))
    frames, durations = [], []
    for each in ImageSequence.Iterator(image):
        frames.append(np.array(each.convert("RGB")))
        durations.append(each.info["duration"])
    assert image.info["loop"] == 0
    done, animation = cv2.imdecodeanimation(np.frombuffer(gif, np.uint8))
    assert done
    others = np.stack(animation.frames)[..., 2::-1]
    np.testing.assert_array_equal(others, frames)
    return np.stack(frames), durations


@pytest.mark.parametrize("colours", [1, 2, 3, 17, 128, 129, 256])
def test_up_to_256_colours_are_exact(page, colours):
    rng = np.random.default_rng(colours)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    frames = palette[rng.integers(0, colours, (3, 32, 64))]
    large = frames.repeat(3, 1).repeat(3, 2)
    got, durations = read(written(page, frames, 3))
    np.testing.assert_array_equal(got, large)
    assert durations == [40] * 3


def test_more_colours_become_similar_ones(page):
    y, x = np.mgrid[:32, :64]
    frames = np.stack([np.stack([4 * x, 8 * y, x + y + 20 * t], -1) for t in range(3)])
    frames = frames.astype(np.uint8)
    error = read(written(page, frames, 1))[0].astype(float) - frames
    assert np.abs(error).max() <= 24
    assert 10 * np.log10(255**2 / (error**2).mean()) > 30


def recorded(page, seconds):
    """What is recorded of the choreography in some seconds: {name: type} of the files."""
    page.click("#record")
    page.click("#choreography")
    page.wait_for(f"parseFloat(document.getElementById('recorded').textContent) >= {seconds}")
    page.click("#record")
    page.wait_for("document.getElementById('record-status').textContent.startsWith('Ready')")
    links = dict(page.evaluate(LINKS))
    said = page.evaluate("document.querySelector('#recording [role=status]').textContent")
    assert said == f"Ready to save: {' and '.join(links)}."
    return links


def test_what_is_shown_is_recorded(page):
    page.evaluate("""(() => {
      const capture = HTMLCanvasElement.prototype.captureStream;
      HTMLCanvasElement.prototype.captureStream = function (...given) {
        return (window.stream = capture.apply(this, given));
      };
    })()""")
    links = recorded(page, 0.5)
    assert links["dance.gif"] == "image/gif"
    videos = {name: kind for name, kind in links.items() if kind.startswith("video/")}
    assert len(videos) == len(links) - 1 == 1, links
    assert page.evaluate("stream.getTracks().map((it) => it.readyState)") == ["ended"]
    frames, durations = read(page.evaluate_bytes(FIRST_LINK))
    assert frames.shape[1:] == (160, 320, 3) and len(frames) > 5
    assert sum(durations) >= 450  # 0.5 s on the page, which rounds
    assert np.abs(np.diff(frames.astype(int), axis=0)).max() > 50, "nothing moves"


def test_a_slow_model_is_recorded_as_slow_as_it_is(browser, content):
    """And a browser that cannot record a video after all still gives the GIF."""

    def model(previous, pose, noise):
        time.sleep(0.15)
        return pose

    with page_server(content, model) as url:
        page = ready(browser.open(url))
        page.evaluate("""void (MediaRecorder = class {
          static isTypeSupported() { return true; }
          constructor() { throw new Error("There is no encoder."); }
        })""")
        assert list(recorded(page, 0.7)) == ["dance.gif"]
        _, durations = read(page.evaluate_bytes(FIRST_LINK))
        assert len(durations) > 2 and min(durations[:-1]) >= 140  # the last one is cut short
        assert page.errors == []
        page.close()


def test_a_recording_ends_by_itself(page):
    page.click("#record")
    page.wait_for("parseFloat(document.getElementById('recorded').textContent) > 0")
    page.evaluate("""(() => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + 60000;
      URL.createObjectURL = () => { throw new Error("No file can be made."); };
    })()""")
    page.wait_for("document.getElementById('problem').innerText === 'No file can be made.'")
    assert page.evaluate("document.getElementById('record').textContent") == "Record"
