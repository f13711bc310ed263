"""Image files as RGB arrays, one or many. A broken file is an error, not a gray patch."""

import contextlib
import os
import re
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.progress import Progress

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# In the compressed part of a JPEG, 0 or a restart marker follows 0xff, or 0xff is a fill byte.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Reads one PNG, JPEG or WebP image.

    Gray and palette images become RGB, 16 bits become 8, an alpha channel is composited on black
    (the background of a pose image), and a JPEG is rotated as its EXIF data say. The content
    determines the kind of file, not the name.

    Args:
        path: the file.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: if the file is missing, truncated, damaged or of another kind; the message names
            it. OpenCV alone fills the lost part of some truncated files with gray.

    Example:
        >>> read_image("train/train_img/0.png").shape
        (64, 128, 3)
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read image {path}: {error.strerror}.") from error
    fault = _fault(data)
    image: np.ndarray | None = None
    if not fault:
        # Only the unchanged image has alpha; only the converted one is rotated as EXIF says.
        is_jpeg = data.startswith(_JPEG)
        flags = cv2.IMREAD_COLOR if is_jpeg else cv2.IMREAD_UNCHANGED
        with contextlib.suppress(cv2.error):  # such as a size over OpenCV's limit
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        fault = "its contents are damaged"
    if image is None:
        raise UserError(f"Cannot read image {path}: {fault}. Replace the file.")
    return _to_rgb8(image)


def resize_image(image: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
    """Resizes an image: area filter where it shrinks, linear where it grows.

    Args:
        image: (H, W, 3), uint8 or float32.
        frame_size: `(height, width)` of the result.

    Returns:
        (height, width, 3) of the same type; the image itself if it has that size.
    """
    height, width = frame_size
    # The area filter does not average if either side grows: so first shrink, then grow.
    for size, interpolation in (
        ((min(height, image.shape[0]), min(width, image.shape[1])), cv2.INTER_AREA),
        ((height, width), cv2.INTER_LINEAR),
    ):
        if image.shape[:2] != size:
            image = cv2.resize(image, size[::-1], interpolation=interpolation)
    return image


def read_images(
    paths: Sequence[str | os.PathLike],
    frame_size: tuple[int, int] | None = None,
    out: np.ndarray | None = None,
    label: str = "reading images",
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Reads many images into one array, several at a time, with progress on stderr.

    Args:
        paths: the files, at least one.
        frame_size: `(height, width)` that all are resized to. `None` keeps their own size, which
            must then be the same for all.
        out: (N, height, width, 3) uint8, the array to fill, such as a memory-mapped one; `None`
            makes a new one.
        label: of the progress line.

    Returns:
        The array, and the `(height, width)` of each file.

    Raises:
        UserError: if a file cannot be read, or sizes differ with `frame_size=None`; the message
            names the file.
    """
    size = frame_size or read_image(paths[0]).shape[:2]
    images = np.empty((len(paths), *size, 3), np.uint8) if out is None else out

    def read(index: int) -> tuple[int, int]:
        image = read_image(paths[index])
        native = image.shape[:2]
        if frame_size is None and native != size:
            raise UserError(
                f"Images differ in size: {paths[0]} is {size[0]} x {size[1]}, {paths[index]} "
                f"{native[0]} x {native[1]} (height x width). Give a frame size to resize all."
            )
        images[index] = resize_image(image, size)
        return native

    sizes = []
    with Progress(len(paths), label) as progress, ThreadPoolExecutor() as pool:
        for native in pool.map(read, range(len(paths))):
            sizes.append(native)
            progress.update()
    return images, sizes


def _fault(data: bytes) -> str | None:
    """What is wrong with the container of an image file, or `None`."""
    if not data:
        return "it is empty"
    if data.startswith(_PNG):
        return _png_fault(data)
    if data.startswith(_JPEG):
        return None if _jpeg_ends(data) else "it is truncated"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        whole = len(data) >= 8 + int.from_bytes(data[4:8], "little")
        return None if whole else "it is truncated"
    return "it is not a PNG, JPEG or WebP image"


def _png_fault(data: bytes) -> str | None:
    at, kind = len(_PNG), None
    while kind != b"IEND":
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if len(data) < end:
            return "it is truncated"
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return "its contents are damaged"
        at = end
    return None


def _jpeg_ends(data: bytes) -> bool:
    # Goes from marker to marker, because a thumbnail inside has its own end marker.
    at = 2
    while marker := _JPEG_MARKER.search(data, at):
        kind, at = marker.group()[1], marker.end()
        if kind == 0xD9:
            return True
        at += int.from_bytes(data[at : at + 2], "big")
    return False


def _to_rgb8(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if image.shape[-1] == 4:
        alpha = image[..., 3:].astype(np.uint16)
        image = ((image[..., :3] * alpha + 127) // 255).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
