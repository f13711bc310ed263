"""Image files as RGB arrays, one or many. A broken file is an error, not a gray patch."""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import cv2
import numpy as np

from keras_cvae.data.image_faults import DAMAGED, TRUNCATED, find_fault, for_opencv
from keras_cvae.data.image_header import JPEG, Header, read_header, upright
from keras_cvae.errors import UserError, positive_variable
from keras_cvae.files import check_regular
from keras_cvae.images import MAX_PIXELS, MAX_PIXELS_VARIABLE, check_pixels, empty_images
from keras_cvae.progress import Progress

_AT_ONCE = 4096  # images that wait for a thread
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Reads one PNG, JPEG or WebP image.

    Gray and palette images become RGB, 16 bits become 8, an alpha channel is composited on black
    (the background of a pose image), and the image is turned as its EXIF data say. The content
    determines the kind of file, not the name.

    Args:
        path: the file.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UserError: if the file is missing, truncated, damaged, of another kind, or larger than
            `images.check_pixels` allows; the message names it. OpenCV alone fills the lost part of
            some truncated files with gray.

    Example:
        >>> read_image("train/train_img/0.png").shape
        (64, 128, 3)
    """
    most = 8 * positive_variable(MAX_PIXELS_VARIABLE, MAX_PIXELS) + 2**20
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise _unreadable(path, f"it has {size} bytes, more than the bound of {most}")
        data = file.read()
    header = read_header(io.BytesIO(data))
    if header is not None:  # before the whole file is looked at
        check_pixels(*header.size, f"Image {path}")
    fault = find_fault(data)
    if fault or header is None:
        raise _unreadable(path, fault or DAMAGED)
    try:
        image = _decode(data, header)
    except MemoryError as error:
        raise UserError(
            f"Image {path}, {header.height} x {header.width} pixels, does not fit into the memory. "
            "Make it smaller."
        ) from error
    if image is None:
        is_jpeg = data.startswith(JPEG)
        raise _unreadable(path, f"{TRUNCATED} or {DAMAGED}" if is_jpeg else DAMAGED)
    return image


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """Reads the size of an image from its header; nothing is decoded.

    Args:
        path: a PNG, JPEG or WebP file.

    Returns:
        `(height, width)` of what `read_image` returns.

    Raises:
        UserError: if the file is missing, empty, of another kind, or larger than
            `images.check_pixels` allows, or its header is damaged. Other faults are not seen.
    """
    with _opened(path) as file:
        header = read_header(file)
    if header is None:
        return read_image(path).shape[:2]  # an error that says what is wrong
    check_pixels(*header.size, f"Image {path}")
    return header.size


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
    size = frame_size or image_size(paths[0])
    advice = "Give a smaller frame size, or a cache folder."
    images = empty_images(len(paths), *size, advice) if out is None else out

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

    sizes: list[tuple[int, int]] = []
    same: dict[tuple[int, int], tuple[int, int]] = {}  # equal sizes are kept once
    with Progress(len(paths), label) as progress, ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), _AT_ONCE):
            # Of all images at once, what waits for its turn would take more memory than some data.
            for native in pool.map(read, range(start, min(start + _AT_ONCE, len(paths)))):
                sizes.append(same.setdefault(native, native))
                progress.update()
    return images, sizes


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[BinaryIO]:
    if "\0" in os.fspath(path):
        raise _unreadable(path, "its name holds a zero byte")
    try:
        with open(check_regular(path), "rb") as file:
            yield file
    except (OSError, UnicodeError) as error:
        fault = getattr(error, "strerror", None) or "its name is none that a file can have"
        if os.path.islink(path) and not os.path.exists(path):
            fault = "it is a link to a file that does not exist"
        raise _unreadable(path, fault) from error


def _unreadable(path: str | os.PathLike, fault: str) -> UserError:
    return UserError(f"Cannot read image {path}: {fault}. Replace the file.")


def _decode(data: bytes, header: Header) -> np.ndarray | None:
    # Neither way turns the image: OpenCV's own turning depends on its version and on the flags.
    flags = cv2.IMREAD_UNCHANGED  # keeps alpha
    if data.startswith(JPEG):
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(for_opencv(data), np.uint8), flags)
    except cv2.error:
        return None
    if image is None or image.shape[:2] != header[:2]:
        return None
    return upright(_to_rgb8(image), header.orientation)


def _to_rgb8(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if image.shape[-1] == 4:
        alpha = image[..., 3:].astype(np.uint16)
        image = ((image[..., :3] * alpha + 127) // 255).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
