"""GIFs that the page makes, as others read them."""

import base64
import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

WRITE = """(async () => {{
  const {{ GifWriter }} = await import("play/gif");
  const data = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
  const size = {height} * {width} * 3;
  const writer = new GifWriter([{height}, {width}], {scale}, 4);
  for (let at = 0; at < data.length; at += size) writer.add(data.subarray(at, at + size));
  return new Uint8Array(await writer.blob().arrayBuffer());
}})()"""
LINKS = """Promise.all([...document.querySelectorAll("#downloads a")].map(async (link) =>
  [link.download, (await (await fetch(link.href)).blob()).type]))"""


def written(page, frames, scale):
    data = base64.b64encode(frames.tobytes()).decode()
    _, height, width, _ = frames.shape
    return page.evaluate_bytes(WRITE.format(data=data, height=height, width=width, scale=scale))


def read(gif):
    """The frames, of Pillow; OpenCV must read the same."""
    image = Image.open(io.BytesIO(gif))
    frames = np.stack([np.array(each.convert("RGB")) for each in ImageSequence.Iterator(image)])
    assert image.info["duration"] == 40 and image.info["loop"] == 0
    done, animation = cv2.imdecodeanimation(np.frombuffer(gif, np.uint8))
    assert done
    others = np.stack(animation.frames)[..., 2::-1]
    np.testing.assert_array_equal(others, frames)
    return frames


@pytest.mark.parametrize("colours", [1, 2, 3, 17, 128, 129, 256])
def test_up_to_256_colours_are_exact(page, colours):
    rng = np.random.default_rng(colours)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    frames = palette[rng.integers(0, colours, (3, 32, 64))]
    large = frames.repeat(3, 1).repeat(3, 2)
    np.testing.assert_array_equal(read(written(page, frames, 3)), large)


def test_more_colours_become_similar_ones(page):
    y, x = np.mgrid[:32, :64]
    frames = np.stack([np.stack([4 * x, 8 * y, x + y + 20 * t], -1) for t in range(3)])
    frames = frames.astype(np.uint8)
    error = read(written(page, frames, 1)).astype(float) - frames
    assert np.abs(error).max() <= 24
    assert 10 * np.log10(255**2 / (error**2).mean()) > 30


def test_what_is_shown_is_recorded(page):
    page.click("#record")
    page.click("#choreography")
    page.wait_for("parseFloat(document.getElementById('recorded').textContent) >= 0.5")
    page.click("#record")
    page.wait_for("document.querySelectorAll('#downloads a').length")
    links = dict(page.evaluate(LINKS))
    assert links["dance.gif"] == "image/gif"
    videos = {name: kind for name, kind in links.items() if kind.startswith("video/")}
    assert len(videos) == len(links) - 1 == 1, links
    link = "fetch(document.querySelector('#downloads a').href)"
    frames = read(page.evaluate_bytes(f"{link}.then((it) => it.bytes())"))
    assert frames.shape[1:] == (160, 320, 3) and len(frames) >= 12
    assert np.abs(np.diff(frames.astype(int), axis=0)).max() > 50, "nothing moves"
