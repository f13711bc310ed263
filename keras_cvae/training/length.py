"""How long a training is: its batches and epochs by the number of training frames."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras_cvae.data.share import share_of_lengths


class Rule(NamedTuple):
    """What training needs from a number of frames on.

    Args:
        frames: the least number of training frames.
        batch_size: clips of a batch.
        steps: of the optimiser, about.
    """

    frames: int
    batch_size: int
    steps: int


# By frames, ascending. On real videos of 198 and 52 training frames 1,200 steps are 0.1 and 0.4 dB
# better than 600, and their last third gains 0.06 dB or less (docs/own_video.md).
RULES = (Rule(0, 2, 1200), Rule(1200, 4, 600))
LEAST_EPOCHS = 16  # those of the recipe: many frames get more steps instead of fewer epochs
VALIDATIONS = 8  # of a run, about
LEAST_INTERVAL = 2  # epochs from validation to validation
ROLLOUTS_KEPT = 4  # GIFs of the rollout per run, evenly spread over its epochs


class Length(NamedTuple):
    """How long a training is: clips of a batch, and epochs, both at least 1."""

    batch_size: int
    epochs: int


def usable_frames(lengths: Sequence[int], clip_length: int, partial: float = 1.0) -> int:
    """The number of frames that `Clips` trains on.

    Args:
        lengths: frames of each training video.
        clip_length: frames of a clip. Shorter videos do not count.
        partial: in (0, 1], the share of the frames to use.

    Returns:
        int, 0 where no video is as long as a clip.

    Raises:
        UserError: for an impossible share.

    Example:
        >>> usable_frames([300, 10], clip_length=16)
        300
    """
    return sum(each for each in share_of_lengths(lengths, partial) if each >= clip_length)


def chosen_length(
    frames: int,
    clip_length: int,
    stride: int | None = None,
    accumulate: int = 1,
    mirrored: bool = False,
    batch_size: int | None = None,
) -> Length:
    """Batches and epochs by which the optimiser makes about as many steps as help.

    Args:
        frames: of training, see `usable_frames`, without mirrored ones.
        clip_length: frames of a clip.
        stride: an epoch has one clip per so many frames; `None` is `clip_length`.
        accumulate: batches of a step.
        mirrored: whether each video is there once more, mirrored: an epoch has twice the clips.
        batch_size: clips of a batch where it is given, else `None`.

    Returns:
        `Length`. A batch that is chosen has no more clips than there are; without any clip its size
        is that of the rule.

    Example:
        >>> chosen_length(300, clip_length=16)
        Length(batch_size=2, epochs=133)
    """
    clips = frames * (2 if mirrored else 1) // (clip_length if stride is None else stride)
    rule = [each for each in RULES if frames >= each.frames][-1]
    if batch_size is None:
        batch_size = min(rule.batch_size, clips) or rule.batch_size
    batches = max(clips // batch_size, 1)
    return Length(batch_size, max(round(rule.steps * accumulate / batches), LEAST_EPOCHS))


def validation_interval(epochs: int) -> int:
    """Epochs from validation to validation where the user does not say.

    Args:
        epochs: of the run, at least 1.

    Returns:
        About an eighth of them, at least 2.
    """
    return max(round(epochs / VALIDATIONS), LEAST_INTERVAL)


def rollout_interval(epochs: int) -> int:
    """Epochs from one kept GIF of the rollout to the next.

    Args:
        epochs: of the run, at least 1.
    """
    return max(epochs // ROLLOUTS_KEPT, 1)


def least_epochs(accumulate: int, batches: int) -> int:
    """The fewest epochs in which the weights change at all.

    Args:
        accumulate: batches of a step.
        batches: of an epoch, at least 1.
    """
    return math.ceil(accumulate / batches)
