"""Video from one frame: the loop over poses around one step of prediction, whatever computes it.

NumPy alone, so that a model that was exported is used without Keras.
"""

import math

import numpy as np

INPUTS, OUTPUT = ("previous_frame", "pose", "z"), "frame"  # of a step of prediction
_ROUNDING = 1e-3  # how far outside [0, 1] floats may lie


def stream_frames(step, first_frames, poses, latent_shape, temperature, seed=None, z=None):
    """Predicts frame after frame, each from the prediction before it, with z from the prior.

    z_t = temperature * eps, eps ~ N(0, I), is drawn by NumPy: a seed gives the same noise on every
    backend, and frame t the same whatever the number of frames. Memory does not grow with the
    number of frames.

    Args:
        step: function (previous_frame, pose, z) -> next frame, all float32 arrays.
        first_frames: (B, H, W, 3) float32 in [0, 1], the given frames.
        poses: iterable of (B, H, W, 3) images, uint8 or floats in [0, 1], one per predicted frame.
        latent_shape: shape of one frame's z.
        temperature: float >= 0.
        seed: int or `None` for fresh noise.
        z: iterable of (B, *latent_shape) float32 latents to take instead, or `None`.

    Yields:
        (B, H, W, 3) float32 arrays: a frame for each pose, before the next pose is asked for.
    """
    generator = np.random.default_rng(seed)
    noise_shape = (len(first_frames), *latent_shape)
    frame, latents = first_frames, None if z is None else iter(z)
    for pose in poses:
        if latents is not None:
            latent = next(latents)
        elif temperature > 0:
            latent = generator.standard_normal(noise_shape, "float32") * np.float32(temperature)
        else:  # no noise is needed, and none is drawn
            latent = np.zeros(noise_shape, "float32")
        frame = step(frame, unit_array(pose), latent)
        yield frame


def whole_video(first_frames, frames, number):
    """The given frame and a stream of predicted ones as one array.

    Args:
        first_frames: (B, H, W, 3), uint8 or floats in [0, 1].
        frames: iterable of number - 1 (B, H, W, 3) arrays.
        number: int, frames of the video.

    Returns:
        float32 array (B, number, H, W, 3).
    """
    first_frames = unit_array(first_frames, "first_frames")
    video = np.empty((len(first_frames), number, *first_frames.shape[1:]), "float32")
    video[:, 0] = first_frames
    for t, frame in enumerate(frames, start=1):
        video[:, t] = frame
    return video


def unit_array(images, what="poses"):
    """NumPy images as float32 in [0, 1]: uint8 scaled by 1/255, floats as they are.

    Args:
        images: array-like, uint8 or floating.
        what: str, how an error names them.

    Returns:
        float32 array.

    Raises:
        ValueError: for any other type of number, or floats outside [0, 1] by more than rounding.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images.astype("float32") / np.float32(255)
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"{what} must be uint8 (0..255) or floating point (0..1); got {images.dtype}."
        )
    low, high = images.min(initial=0), images.max(initial=1)
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # written so that NaN fails too
        raise ValueError(
            f"{what}: floats must lie in [0, 1]; got values from {low:g} to {high:g}. "
            "Divide by 255, pass uint8, or clip them."
        )
    return images.astype("float32")


def checked_videos(first_frames, poses):
    """The first frames as float32 and the poses as they are, if their shapes fit.

    Raises:
        ValueError: if they are not (B, H, W, 3) and (B, T, H, W, 3), or of another number type.
    """
    first_frames, poses = unit_array(first_frames, "first_frames"), np.asarray(poses)
    if first_frames.ndim != 4 or first_frames.shape[-1] != 3:
        raise ValueError(
            "first_frames must be (B, H, W, 3), or (H, W, 3) for one video; "
            f"got {first_frames.shape}."
        )
    expected = (len(first_frames), *first_frames.shape[1:])
    if poses.ndim != 5 or (poses.shape[0], *poses.shape[2:]) != expected or not poses.shape[1]:
        raise ValueError(
            f"poses must be (B, T, H, W, 3) like first_frames {first_frames.shape} with T >= 1;"
            f" got {poses.shape}."
        )
    unit_array(poses[:, :1])  # a wrong type is to fail before the first prediction
    return first_frames, poses


def check_temperature(temperature):
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be finite and at least 0; got {temperature}.")
