"""A pose image has the size of its frame: one rule for training and prediction."""

import os

from keras_cvae.errors import UserError


def check_same_size(
    frame: str | os.PathLike,
    frame_size: tuple[int, int],
    pose: str | os.PathLike,
    pose_size: tuple[int, int],
) -> None:
    """Checks that a frame and a pose have the same size before they are resized.

    Otherwise both would be stretched differently, and the pose would not lie on the dancer.

    Args:
        frame, pose: the files, for the message.
        frame_size, pose_size: their `(height, width)`.

    Raises:
        UserError: if the sizes differ.
    """
    if tuple(frame_size) != tuple(pose_size):
        raise UserError(
            f"Frame and pose differ in size: {frame} is {' x '.join(map(str, frame_size))}, {pose} "
            f"{' x '.join(map(str, pose_size))} (height x width). Render the poses in the size of "
            "the frames."
        )
