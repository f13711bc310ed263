"""GIF files with good colours and of moderate size, encoded by OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.progress import Progress

_MAX_SIDE = 2**16 - 1  # pixels, by the format
_GIF_TOLERANCE = 8  # of 255: smaller changes are not visible, and cost a third of the file


def write_gif(path: Path, frames: np.ndarray, fps: float) -> str:
    """Writes a GIF that repeats forever. Use `keras_cvae.video.write_video`, which checks more.

    Args:
        path: the file to write; it is replaced if it exists.
        frames: (T, H, W, 3) uint8 RGB.
        fps: frames per second, at most 50, because a GIF counts in hundredths of a second.

    Returns:
        What was written, in a few words.

    Raises:
        UserError: if the frames are too large for a GIF, or OpenCV cannot encode it.
    """
    if max(frames.shape[1:3]) > _MAX_SIDE:
        raise UserError(
            f"The frames are {frames.shape[1]} x {frames.shape[2]} pixels (height x width); a GIF "
            f"has at most {_MAX_SIDE} a side. Make them smaller, or write a folder of PNGs."
        )
    ticks = round(float(np.clip(100 / fps, 2, 65535)))
    animation = cv2.Animation()
    animation.frames = _gif_frames(frames)
    animation.durations = np.full(len(frames), 10 * ticks, np.int32)
    animation.loop_count = 0
    # 3: no dithering, 8: a table of 256 colours. The faster defaults have a fixed, coarse table.
    options = [cv2.IMWRITE_GIF_QUALITY, 8, cv2.IMWRITE_GIF_DITHER, 3]
    ok, data = cv2.imencodeanimation(".gif", animation, options)
    if not ok:
        raise UserError("OpenCV could not encode the GIF; write an .mp4 or a folder of PNGs.")
    path.write_bytes(_keep_previous_frame(bytearray(data.tobytes())))
    return f"GIF, {len(frames)} frames at {100 / ticks:g} fps"


def _gif_frames(frames: np.ndarray) -> list[np.ndarray]:
    """BGRA frames of at most 254 colours, transparent where the previous frame stays visible.

    OpenCV's own choice of colours (an octree) is poor for photographs. So the colours are chosen
    here, by k-means over all frames, and OpenCV writes them unchanged. One table per frame would
    flicker.
    """
    palette = _palette(frames[:: max(1, len(frames) // 64)])
    colour_of = palette[_nearest(palette)]
    shown, out = None, []
    with Progress(len(frames), "choosing the GIF's colours") as progress:
        for frame in frames:
            red, green, blue = (frame[..., channel].astype(np.int32) >> 2 for channel in range(3))
            drawn = colour_of.take((red << 12) | (green << 6) | blue, axis=0)
            alpha = np.full(drawn.shape[:2], 255, np.uint8)
            if shown is not None:
                # A pixel that is still good enough stays: less flicker, and a smaller file.
                good = _worst_channel(shown, frame) <= _GIF_TOLERANCE
                stays = good | (_worst_channel(shown, drawn) == 0)
                drawn[stays] = shown[stays]
                alpha[stays] = 0
            shown = drawn
            out.append(cv2.merge([*cv2.split(drawn)[::-1], alpha]))
            progress.update()
    return out


def _worst_channel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    red, green, blue = cv2.split(cv2.absdiff(a, b))
    return cv2.max(cv2.max(red, green), blue)


def _palette(frames: np.ndarray) -> np.ndarray:
    """At most 254 RGB colours for the frames; the GIF's table needs one more for "transparent"."""
    count, total = np.zeros(1 << 15), np.zeros((1 << 15, 3))
    for frame in frames:
        bins = (frame.reshape(-1, 3) >> 3).astype(np.int32)
        bins = (bins[:, 0] << 10) | (bins[:, 1] << 5) | bins[:, 2]
        count += np.bincount(bins, minlength=1 << 15)
        for channel in range(3):
            values = frame[..., channel].ravel()
            total[:, channel] += np.bincount(bins, weights=values, minlength=1 << 15)
    used = np.flatnonzero(count)
    colours: np.ndarray = (total[used] / count[used, None]).astype(np.float32)
    if len(colours) > 254:
        # The root of the count, so that thin coloured limbs get colours next to large backgrounds.
        weight = np.sqrt(count[used])
        repeats = np.rint(weight * (1 << 15) / weight.sum()).astype(int)
        cv2.setRNGSeed(0)
        stop = (cv2.TERM_CRITERIA_COUNT, 10, 0.0)
        samples = np.repeat(colours, repeats, axis=0)
        _, _, colours = cv2.kmeans(samples, 254, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    colours = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    # OpenCV distinguishes colours by their upper seven bits.
    _, first = np.unique(colours >> 1, axis=0, return_index=True)
    return colours[np.sort(first)]


def _nearest(palette: np.ndarray) -> np.ndarray:
    """Index of the nearest colour for each colour of six bits per channel, (64 ** 3,)."""
    centre = np.arange(64, dtype=np.float32) * 4 + 1.5
    green, blue = (axis.ravel() for axis in np.meshgrid(centre, centre, indexing="ij"))
    colours = palette.astype(np.float32)
    square = (colours**2).sum(axis=1)
    table = np.empty((64, 64 * 64), np.uint8)
    for level, red in enumerate(centre):
        points = np.stack([np.full_like(green, red), green, blue], axis=1)
        table[level] = (square - 2 * points @ colours.T).argmin(axis=1)
    return table.ravel()


def _keep_previous_frame(gif: bytearray) -> bytearray:
    """Sets every frame's disposal to "leave in place": transparent pixels keep the previous frame.

    OpenCV writes "restore the previous picture", with which each frame begins with an empty one.
    """
    at = 13 + 3 * (2 << (gif[10] & 7))
    while gif[at] != 0x3B:  # Trailer
        if gif[at] == 0x21:  # Extension; 0xF9 is the one that holds the disposal.
            if gif[at + 1] == 0xF9:
                gif[at + 3] = (gif[at + 3] & ~0x1C) | (1 << 2)
            at += 2
        else:  # Image descriptor, perhaps a table of its own, and the code size
            at += 11 + (3 * (2 << (gif[at + 9] & 7)) if gif[at + 9] & 0x80 else 0)
        while gif[at]:
            at += gif[at] + 1
        at += 1
    return gif
