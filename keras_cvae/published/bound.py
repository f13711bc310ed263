"""How far a model's predictions leave the range of images: a hint at a bound that is not said."""

import numpy as np

from keras_cvae.data.synthetic import builtin_videos
from keras_cvae.errors import check_at_least_1
from keras_cvae.images import DEFAULT_FRAME_SIZE, ROUNDING
from keras_cvae.model.cvae import CVAE


def outside_unit(model: CVAE, frames: int = 20) -> float:
    """The share of the values of a first rollout that lie outside [0, 1].

    The rollout begins with the first frame of the built-in validation video and has its poses, at
    32 x 64, without noise. A well trained model without a bound leaves [0, 1] little, where the
    picture is black or white. What was trained with a sigmoid and is run without one leaves it in
    most places. So does a model whose training broke, and other data may give another share: it is
    a hint, no proof.

    Args:
        model: any model. A bound that it has is applied.
        frames: the number of predicted frames, at least 1.

    Returns:
        From 0 to 1. What lies outside by at most 1e-3 counts as inside, what is not finite as
        outside.

    Raises:
        UserError: if `frames` is below 1.

    Example:

    ```python
    model = keras_cvae.load_lab_checkpoint("epoch=69.ckpt", output="none")
    if outside_unit(model) > 0.5:
        model = keras_cvae.load_lab_checkpoint("epoch=69.ckpt", output="sigmoid")
    ```
    """
    check_at_least_1(frames=frames)
    (video,) = builtin_videos("val", DEFAULT_FRAME_SIZE, frames=frames + 1)
    rollout = model.stream_video(video.frames[None, 0], video.poses[None], temperature=0.0)
    inside = [_inside(frame) for frame in rollout]
    return 1.0 - float(np.mean(inside))


def _inside(frame: np.ndarray) -> float:
    """The share of its values in [0, 1]; a comparison with NaN is false."""
    return float(np.mean((frame >= -ROUNDING) & (frame <= 1 + ROUNDING)))
