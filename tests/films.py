"""Small videos for tests, written by PyAV. Tests that use them are skipped without it."""

from fractions import Fraction

import numpy as np
import pytest

SIZE, COUNT = (32, 48), 20
CORNERS = RED, GREEN, BLUE, YELLOW = (250, 10, 10), (10, 200, 10), (10, 10, 250), (250, 250, 10)


def picture(number=0, size=SIZE):
    """Four quarters of different colours, and a white bar that moves down by a row a frame."""
    image, (h, w) = np.zeros((*size, 3), np.uint8), (size[0] // 2, size[1] // 2)
    image[:h, :w], image[:h, w:], image[h:, :w], image[h:, w:] = CORNERS
    image[number % size[0], w - 4 : w + 4] = 255
    return image


def film(path, codec="libx264", stamps=range(COUNT), rate=25, base=None, size=SIZE, **options):
    """Writes a video of `picture`s.

    Args:
        path: its ending says the kind of file.
        codec: of FFmpeg.
        stamps: a time stamp for each frame, in units of `base`.
        rate: frames per second that the file states.
        base: Fraction of a second; by default the time of a frame.
        size: (height, width) in pixels.
        options: of FFmpeg, for the file.

    Returns:
        The path.
    """
    av = pytest.importorskip("av", reason="PyAV is not installed")
    if codec not in av.codecs_available:
        pytest.skip(f"PyAV has no {codec}")
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = size
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        if base:
            stream.codec_context.time_base = base
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
            frame.pts, frame.time_base = stamp, base or Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def corners(image):
    """The colours of the four quarters."""
    h, w = image.shape[0] // 4, image.shape[1] // 4
    return [tuple(image[y, x]) for y in (h, -h) for x in (w, -w)]


def near(colours, expected, tolerance=40):
    return np.abs(np.array(colours, int) - np.array(expected)).max() < tolerance
