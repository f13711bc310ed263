"""Films the page of the pretrained dancer for the README; needs Chromium.

PYTHONPATH=tests python tests/play/film_page.py docs/play.gif
"""

import math
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from browser import Browser

from keras_cvae.video.gif import write_gif

ROOT = Path(__file__).parents[2]
SIZE = (860, 590)  # pixels of the window, across and down
FPS = 12
DANCED = 48  # frames


def main(out):
    command = [sys.executable, "-u", ROOT / "scripts/play.py", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = next(filter(None, (re.search(r"http://\S+", s) for s in server.stdout)))[0]
            with Browser() as browser, tempfile.TemporaryDirectory() as folder:
                frames = film(browser.open(address, size=SIZE), Path(folder) / "shot.png")
        finally:
            server.terminate()
    write_gif(Path(out), np.stack(frames), FPS)


def film(page, shot):
    page.wait_for("window.playground")
    page.evaluate("playground.ready.then(() => true)")
    frames = [picture(page, shot)]
    for joint, path in DRAGS:
        start = page.centre(f'[data-joint="{joint}"]')
        for end in path:
            point = [start[0] + end[0], start[1] + end[1]]
            page.drag(page.centre(f'[data-joint="{joint}"]'), [point])
            time.sleep(0.1)
            frames.append(picture(page, shot))
    page.evaluate("playground.play('dance')")
    began = time.monotonic()
    for number in range(DANCED):
        time.sleep(max(0, began + number / FPS - time.monotonic()))
        frames.append(picture(page, shot))
    return frames


def arc(across, down, steps=16):
    """There and back on an arc."""
    turns = [math.pi * i / steps for i in range(1, steps + 1)]
    return [(across * math.sin(t), down * (1 - math.cos(t)) / 2) for t in turns]


DRAGS = (
    ("left_wrist", arc(60, -190)),
    ("right_wrist", arc(-60, -190)),
    ("pelvis", arc(40, 30)),
)


def picture(page, shot):
    page.screenshot(shot)
    return cv2.cvtColor(cv2.imread(str(shot)), cv2.COLOR_BGR2RGB)


if __name__ == "__main__":
    main(sys.argv[1])
