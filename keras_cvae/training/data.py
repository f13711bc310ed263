"""The data of a run: read and checked before training, compared with those that it began with."""

from pathlib import Path
from typing import NamedTuple

from keras_cvae import runs
from keras_cvae.data import Clips, load_videos
from keras_cvae.data.fingerprint import differences, fingerprint
from keras_cvae.data.sources import has_split
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.evaluation.rollouts import check_predictable
from keras_cvae.files import read_json, write_json
from keras_cvae.training.config import TrainingConfig


class RunData(NamedTuple):
    """The data of a run.

    Args:
        clips: what is trained on.
        videos: by split, `"train"`, `"val"` and `"test"`; the last may be empty.
        fingerprint: of each split, see `keras_cvae.data.fingerprint`.
    """

    clips: Clips
    videos: dict[str, list[Video]]
    fingerprint: dict[str, dict]

    def store(self, run: Path) -> None:
        """Writes the fingerprint into a run folder."""
        write_json(run / runs.DATA, self.fingerprint)


def load_data(config: TrainingConfig) -> RunData:
    """Reads all data of a run, so that what is damaged is not found after hours of training.

    Args:
        config: of the run.

    Returns:
        `RunData`.

    Raises:
        UserError: for data that are missing or damaged, or with which this training cannot work.
    """
    splits = ["train", "val", *(["test"] if has_split(config.data, "test") else [])]
    videos = {
        split: load_videos(config.data, split, config.frame_size, config.cache) for split in splits
    }
    videos.setdefault("test", [])
    clips = Clips(
        videos["train"],
        clip_length=config.clip_length,
        batch_size=config.batch_size,
        stride=config.stride,
        partial=config.partial,
        seed=config.seed,
        mirror=config.mirror,
    )
    for split in ("val", "test"):
        check_predictable(videos[split], split)
    steps = config.epochs * len(clips)
    if config.accumulate > steps:
        raise UserError(
            f"--accumulate {config.accumulate} is more than all {steps} batches of the training: "
            "the weights would never change. Lower it, or raise --epochs."
        )
    return RunData(clips, videos, {split: fingerprint(v, split) for split, v in videos.items()})


def check_same_data(run: Path, data: RunData, may_differ: bool) -> bool:
    """Compares the data with those that a run was begun with.

    Args:
        run: the run folder.
        data: the data at hand.
        may_differ: whether they may be others.

    Returns:
        Whether they are others. Of a run of an earlier version, which has no fingerprint, it is not
        known: False.

    Raises:
        UserError: if they are others and may not be.
    """
    if not (run / runs.DATA).exists():
        return False
    before = read_json(run / runs.DATA, "The fingerprint of the data")
    found = differences(before, data.fingerprint)
    if not found:
        return False
    shown = "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")
    if not may_differ:
        raise UserError(
            f"The data are not those that {run} was begun with: {shown}. Put them back, or go on "
            "with --resume and --data-changed: the best model then counts from there."
        )
    print(f"the data changed: {shown}; the best model counts from here", flush=True)
    return True
