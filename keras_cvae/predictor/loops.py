"""The loops over poses and latents around a step of prediction, in NumPy."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.images import check_range, scaled, to_unit

OUTPUT = "frame"  # of a step of prediction
PRIORS = ("standard", "pose", "learned")  # of a `CVAE`
BUILTIN_POSES = ("builtin", "builtin-ball")  # drawn for the built-in data of that name
SKELETON_POSES = "skeleton"  # drawn by `draw_skeleton` for the joints of someone else
POSES = (*BUILTIN_POSES, SKELETON_POSES)  # what is known of the pose images of a `CVAE`

Step = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Piece = Step  # of the same frame, but poses (B, n, H, W, 3) and noise (B, n, *latent_shape)

# The most frames of a piece, and pixels of all its frames. On TensorFlow and JAX a signal waits for
# the end of a piece, which takes seconds at the published widths.
PIECE_FRAMES, PIECE_PIXELS = 64, 2**17


def input_names(prior: str) -> tuple[str, str, str]:
    """The names of a step's inputs.

    Args:
        prior: of the model. From N(0, I) scaled noise is z. With another prior the step makes z of
            the noise.

    Returns:
        Those of the previous frame, the pose, and z or the noise.

    Example:
        >>> input_names("learned")
        ('previous_frame', 'pose', 'noise')
    """
    return "previous_frame", "pose", "z" if prior == "standard" else "noise"


def frames(
    step: Step, frame: np.ndarray, poses: Iterable[np.ndarray], noise: Iterator[Any], shape: tuple
) -> Iterator[np.ndarray]:
    """Yields frames 1, 2, ... one at a time, each after its pose was read.

    Args:
        step: of prediction.
        frame: the given frame, (H, W, 3) or (B, H, W, 3) float32.
        poses: images of that shape, from pose 0 on, which is read and not used.
        noise: what the step takes, (B, *latent_shape), from frame 1 on.
        shape: (B, H, W, 3).

    Yields:
        float32 arrays of the shape of `frame`.

    Raises:
        UserError: for a pose of another shape, or of a wrong type or range.
    """
    given = frame.shape
    frame = frame.reshape(shape)
    for number, pose in enumerate(poses):
        pose = np.asarray(pose)
        if pose.shape != given:
            raise UserError(
                f"Pose {number} must be {given} like the first frame; got {pose.shape}."
            )
        if number:
            pose = to_unit(pose, f"pose {number}").reshape(shape)
            frame = step(frame, pose, next(noise))
            yield frame.reshape(given)


def pieces(
    piece: Piece, frame: np.ndarray, poses: np.ndarray, noise: Iterator[Any]
) -> Iterator[np.ndarray]:
    """Yields frames 1..T-1 in pieces of `PIECE_FRAMES` and `PIECE_PIXELS` at most.

    Args:
        piece: several steps of prediction.
        frame: the given frames (B, H, W, 3) float32.
        poses: (B, T, H, W, 3), uint8 or floats.
        noise: what the step takes, (B, *latent_shape), from frame 1 on.

    Yields:
        (B, n, H, W, 3) float32 arrays.

    Raises:
        UserError: for poses out of range, before their piece.
    """
    batch, total, height, width, _ = poses.shape
    most = max(1, min(PIECE_FRAMES, PIECE_PIXELS // max(batch * height * width, 1)))
    if most > 4:  # lengths at which no backend pads a whole piece, see `compiled_length`
        most -= most % (16 if most > 16 else 4)
    starts = range(1, total, most)
    if not starts:
        return

    def sample(start: int) -> np.ndarray:
        count = min(most, total - start)
        return np.stack([next(noise) for _ in range(count)], axis=1)

    with ThreadPoolExecutor(1) as aside:  # noise is sampled while a device predicts
        sampled = aside.submit(sample, 1)
        for start in starts:
            shown = check_range(poses[:, start : start + most], f"poses from {start} on")
            if shown.dtype != np.uint8:
                shown = shown.astype("float32")
            now = sampled.result()
            if start != starts[-1]:
                sampled = aside.submit(sample, start + most)
            predicted = piece(frame, shown, now)
            frame = predicted[:, -1]
            yield predicted


def stepwise(step_for: Callable[[tuple, tuple], Step]) -> Callable[[tuple, tuple], Piece]:
    """The `piece_for` of a runtime that has only a step; see `Predictor`."""

    def piece_for(shape: tuple, latent_shape: tuple) -> Piece:
        step = step_for(shape, latent_shape)

        def piece(frame: np.ndarray, poses: np.ndarray, noise: np.ndarray) -> np.ndarray:
            predicted = []
            for t in range(poses.shape[1]):
                frame = step(frame, scaled(poses[:, t]), noise[:, t])
                predicted.append(frame)
            return np.stack(predicted, axis=1)

        return piece

    return piece_for


def each_frame(pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The frames of `Predictor.predict_pieces` one at a time.

    Args:
        pieces: (B, n, ...) arrays.

    Yields:
        (B, ...) arrays.
    """
    for piece in pieces:
        yield from np.moveaxis(piece, 1, 0)


def prior_noise(shape: tuple, temperature: float, seed: int | None) -> Iterator[np.ndarray]:
    """Yields temperature * eps without end, eps ~ N(0, I) from NumPy.

    Args:
        shape: (B, *latent_shape).
        temperature: float >= 0.
        seed: int >= 0, or `None` for fresh noise.

    Yields:
        float32 arrays of the shape.
    """
    if temperature == 0:  # no noise is needed, and none is sampled
        while True:
            yield np.zeros(shape, "float32")
    generator = np.random.default_rng(seed)
    while True:
        yield generator.standard_normal(shape, "float32") * np.float32(temperature)


def check_temperature(temperature: float) -> None:
    """Checks that a temperature is finite and at least 0.

    Raises:
        UserError: if it is not.
    """
    is_number = isinstance(temperature, int | float | np.number)
    if not (is_number and 0 <= temperature < math.inf):
        raise UserError(f"temperature must be finite and at least 0; got {temperature!r}.")
