"""The page in a real browser, and what is written into it."""

import base64
import html
import json
import os
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest

from keras_cvae import plots
from keras_cvae.data import Video
from keras_cvae.report.page import html_page, markdown_page
from keras_cvae.report.player import most_frames, player_data, sprite
from keras_cvae.video.gif import write_gif

PHONE = 360  # pixels across
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

# Loads the page as a phone would show it, and reads what became of it.
READER = """<!doctype html>
<iframe id="page" src="report.html" width="{width}" height="800"></iframe>
<pre id="seen"></pre><script>
const frame = document.getElementById("page");
frame.onload = () => setTimeout(() => {{
  const page = frame.contentDocument;
  const pictures = [...page.images].map((image) => image.complete && image.naturalWidth > 0);
  const slider = page.getElementById("slider");
  slider.value = 7;
  slider.dispatchEvent(new Event("input"));
  const canvases = [...page.querySelectorAll("#films canvas")].map((canvas) =>
    [...canvas.getContext("2d").getImageData(3, 3, 1, 1).data]);
  document.getElementById("seen").textContent = JSON.stringify({{
    pictures, canvases, number: page.getElementById("number").textContent,
    captions: [...page.querySelectorAll("#films figcaption")].map((each) => each.textContent),
    across: page.documentElement.scrollWidth, title: page.title, films: canvases.length,
  }});
}}, 500);
</script>"""


def grey_video(count=40, size=(8, 16)):
    """Frame t is of the grey value 6 t."""
    frames = np.zeros((count, *size, 3), np.uint8)
    frames += (6 * np.arange(count, dtype=np.uint8))[:, None, None, None]
    return Video("v", frames, frames.copy())


@pytest.fixture
def page(tmp_path):
    video = grey_video()
    predictions = {"none": video.frames / 255 + 0.1, "</script>&": video.frames / 255.0}
    player = player_data(video, predictions)
    for film, colour in zip(player["films"][1:3], ("#0072B2", "#D55E00"), strict=True):
        film["colour"] = colour
    history = {"loss": [2.0, 1.0], "tfr": [1.0, 0.0]}
    figure = plots.plot_teacher_forcing(history, tmp_path / "a.png")[0]
    write_gif(tmp_path / "film.gif", video.frames, 24)
    content = html_page(
        title="A <title> & more",
        summary="Summary",
        table=(["", "val PSNR, dB"], [["none", "20.00"], ["</script>&", "99.00"]]),
        notes=["A note."],
        player=player,
        figures={"A figure": figure},
        gifs={"none": tmp_path / "film.gif"},
        settings={"data": "builtin", "lr": "a" * 200},
    )
    path = tmp_path / "report.html"
    path.write_text(content, "utf-8")
    return path


def test_the_page_needs_nothing_but_itself(page):
    text = page.read_text("utf-8")
    assert "{{" not in text.replace("{{}}", "")
    assert "<title>A &lt;title&gt; &amp; more</title>" in text
    sources = re.findall(r'(?:src|href)="([^"]{5})', text)
    assert len(sources) >= 3 and set(sources) == {"data:"}
    stored = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    names = [film["name"] for film in json.loads(stored[1])["films"]]
    assert names == ["truth", "none", "</script>&", "pose"]


def test_a_browser_shows_it_all(page):
    if CHROMIUM is None:
        # Where the browser was installed for this test, its absence is a failure.
        assert not os.environ.get("KERAS_CVAE_BROWSER"), "Chromium was to be installed"
        pytest.skip("no Chromium is installed: apt install chromium")
    reader = page.with_name("reader.html")
    reader.write_text(READER.format(width=PHONE))
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
        + ["--enable-logging=stderr", "--virtual-time-budget=8000", "--dump-dom"]
        + [f"--user-data-dir={page.parent / 'profile'}", reader.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, re.S)
    assert found, done.stdout[-500:] + done.stderr[-2000:]
    seen = json.loads(html.unescape(found[1]))
    assert seen["pictures"] == [True, True]  # a figure and a GIF
    assert seen["across"] <= PHONE
    assert seen["title"] == "A <title> & more" and seen["films"] == 4
    assert seen["number"] == "frame 7"
    assert seen["captions"] == ["truth", "none: 20.0 dB", "</script>&: 100.0 dB", "pose"]
    values = [pixel[0] for pixel in seen["canvases"]]  # frame 7, of the grey value 42
    assert values == pytest.approx([42, 42 + 26, 42, 42], abs=3)


def test_frames_are_tiles_row_by_row():
    video = grey_video()
    kind, encoded = sprite(video.frames).split(",")
    assert kind == "data:image/webp;base64"
    data = np.frombuffer(base64.b64decode(encoded), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture.shape == (3 * 8, 16 * 16, 3)
    assert picture[8 + 4, 16 + 8].mean() == pytest.approx(17 * 6, abs=3)
    assert most_frames(16, 16) == 16 * 1023
    with pytest.raises(ValueError, match="too large"):
        most_frames(64, 2000)


def test_markdown():
    table = (["", "PSNR"], [["a|b", "20.00"]])
    text = markdown_page("T", "S.", table, ["N."], {"C": "figures/c.png"}, {"lr": "0.1"})
    assert "|  | PSNR |\n| --- | --- |\n| a\\|b | 20.00 |\n" in text
    assert "![C](figures/c.png)" in text and "- lr: 0.1\n" in text
