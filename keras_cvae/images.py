"""Pixel values: range, number type, checks and conversions. The one module that knows them.

Images are RGB with channels last. uint8 lies in [0, 255], floats lie in [0, 1].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cvae.errors import NotFiniteError, UserError, positive_variable

DEFAULT_FRAME_SIZE = (32, 64)  # height, width: where neither the user nor the model says one
SSIM_WINDOW = 11  # pixels, a side of the window of SSIM (Wang et al. 2004)
ROUNDING = 1e-3  # how far outside [0, 1] floats may lie
MAX_PIXELS, MAX_PIXELS_VARIABLE = 2**26, "KERAS_CVAE_MAX_PIXELS"  # of one image: 8192 x 8192


def chosen_frame_size(*wishes: Sequence[int] | None) -> tuple[int, int]:
    """The first (height, width) that is not `None`, or 32 x 64.

    Raises:
        UserError: if it is no pair of positive integers, or larger than `check_pixels` allows.
    """
    size = next((wish for wish in wishes if wish is not None), DEFAULT_FRAME_SIZE)
    try:
        sides = tuple(int(side) for side in size)
    except (TypeError, ValueError):
        sides = ()
    if len(sides) != 2 or min(sides) < 1:
        raise UserError(f"frame_size must be (height, width), both positive; got {size}.")
    check_pixels(*sides, "frame_size")
    return sides


def check_pixels(height: int, width: int, what: str) -> None:
    """Checks that an image is not too large, before any memory is taken for it.

    The bound is 2**26 pixels, or the environment variable `KERAS_CVAE_MAX_PIXELS`.

    Args:
        height, width: in pixels.
        what: how an error names the image.

    Raises:
        UserError: if it is larger, or the variable is no positive integer.
    """
    bound = positive_variable(MAX_PIXELS_VARIABLE, MAX_PIXELS)
    if height * width > bound:
        raise UserError(
            f"{what} is {height} x {width} pixels (height x width), more than the bound of "
            f"{bound}. Make it smaller, or raise the environment variable {MAX_PIXELS_VARIABLE}."
        )


def white(dtype: Any) -> float:
    """The value of a white pixel: 255.0 for uint8, 1.0 for floats."""
    return 255.0 if np.dtype(dtype) == np.uint8 else 1.0


def scaled(images: np.ndarray, dtype: Any = "float32") -> np.ndarray:
    """Scales uint8 images by 1/255 and takes floats as they are. Nothing is checked.

    Args:
        images: array of any shape, uint8 or floats. Predictions of a model without an output bound
            may lie outside [0, 1].
        dtype: floating type of the result.

    Returns:
        Array of the same shape.
    """
    images = np.asarray(images)
    if white(images.dtype) == 1.0:
        return images.astype(dtype, copy=False)
    return images.astype(dtype) / np.asarray(white(images.dtype), dtype)


def check_range(images: np.ndarray, what: str = "images") -> np.ndarray:
    """Checks number type and range of images. uint8 images are not read.

    Args:
        images: array-like of any shape.
        what: how an error names them.

    Returns:
        The images as an array, uint8 or floating.

    Raises:
        UserError: for any other type of number, for NaN, and for floats outside [0, 1] by more
            than rounding (0.001).
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise UserError(
            f"{what} must be uint8 (0..255) or floating point (0..1); got {images.dtype}. "
            "Convert with .astype('uint8')."
        )
    low, high = images.min(initial=0), images.max(initial=1)
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):  # written so that NaN fails too
        raise UserError(
            f"{what}: floats must lie in [0, 1]; got values from {low:g} to {high:g}. "
            "Divide by 255, pass uint8, or clip them."
        )
    return images


def empty_images(count: int, height: int, width: int, advice: str) -> np.ndarray:
    """Takes the memory for images.

    Args:
        count: the number of images.
        height, width: in pixels.
        advice: what an error says that helps, such as `"Give a smaller frame size."`

    Returns:
        (count, height, width, 3) uint8, of any values.

    Raises:
        UserError: if there is not so much memory.
    """
    try:
        return np.empty((count, height, width, 3), np.uint8)
    except (MemoryError, ValueError) as error:  # a ValueError if no machine has as much
        raise UserError(
            f"{count} images of {height} x {width} pixels (height x width) need "
            f"{count * height * width * 3 / 2**30:.1f} GiB of memory, which is not free. {advice}"
        ) from error


def check_finite(frames: np.ndarray, what: str) -> None:
    """Checks that predicted frames are finite.

    Args:
        frames: floats of any shape.
        what: how an error names them.

    Raises:
        NotFiniteError: if a value is NaN or infinite.
    """
    if not np.isfinite(frames).all():
        raise NotFiniteError(
            f"{what} is not finite: the model's training broke, or its unbounded output ran away. "
            "Use an earlier checkpoint, or a model with a bounded output (output='sigmoid')."
        )


def to_unit(images: np.ndarray, what: str = "images") -> np.ndarray:
    """Checks images and converts them to float32 in [0, 1].

    Args:
        images: array-like of any shape, uint8 or floats in [0, 1].
        what: how an error names them.

    Returns:
        float32 array of the same shape.

    Raises:
        UserError: as `check_range`.
    """
    return scaled(check_range(images, what))


def to_uint8(frames: np.ndarray) -> np.ndarray:
    """Converts frames to 8-bit images.

    Args:
        frames: array (..., H, W, 3), RGB. Floats are taken as [0, 1]: clipped, scaled by 255 and
            rounded. NaN becomes 0. uint8 passes through.

    Returns:
        uint8 array of the same shape.

    Raises:
        UserError: if the shape does not end in three channels, or for another number type.
    """
    frames = np.asarray(frames)
    if frames.ndim < 3 or frames.shape[-1] != 3:
        raise UserError(
            f"Frames have the shape {frames.shape}; expected (..., height, width, 3), "
            "RGB with channels last."
        )
    if frames.dtype == np.uint8:
        return frames
    if not np.issubdtype(frames.dtype, np.floating):
        raise UserError(
            f"Frames have the dtype {frames.dtype}; expected uint8, or floats in [0, 1]. "
            "Convert them with frames.astype('uint8') or frames.astype('float32') / 255."
        )
    # NaN first: clip keeps it, and casting it to an integer is undefined.
    unit = np.nan_to_num(frames.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(unit, 0.0, 1.0) * 255.0).astype(np.uint8)


def tensor_to_unit(images: Any, what: str = "images") -> Any:
    """Converts images to a float32 tensor in [0, 1]; the range of floats is not read.

    Args:
        images: tensor or array of any shape, uint8 (scaled by 1/255) or floating (as they are).
        what: how an error names them.

    Returns:
        float32 tensor of the same shape.

    Raises:
        UserError: for any other type of number.
    """
    from keras import ops

    dtype = ops.dtype(images) if hasattr(images, "dtype") else "unknown"
    if ops.is_tensor(images):  # a DataLoader of PyTorch gives them on the CPU: to where Keras is
        images = ops.convert_to_tensor(images)
    if dtype == "uint8":
        return ops.cast(images, "float32") / 255.0
    if "float" in dtype:
        return ops.cast(images, "float32")
    raise UserError(
        f"{what} must be uint8 (0..255) or floating point (0..1); got {dtype}. "
        "Convert them, for example with .astype('uint8')."
    )
