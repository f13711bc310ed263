"""The data of a run: read and checked before training, compared with those that it began with."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae import runs
from keras_cvae.backend.batch_share import check_divides
from keras_cvae.backend.exchange import first_alone
from keras_cvae.backend.process import process
from keras_cvae.data import Clips, load_videos
from keras_cvae.data.fingerprint import differences, fingerprint
from keras_cvae.data.joints import (
    JOINTS_FILE,
    Joints,
    has_joints,
    joints_of_videos,
    read_joints,
)
from keras_cvae.data.mirroring import mirrored_joints, mirrored_videos
from keras_cvae.data.share import first_share
from keras_cvae.data.shared_videos import share_videos
from keras_cvae.data.sources import builtin_inside, has_split, is_builtin
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.evaluation.rollouts import check_predictable
from keras_cvae.files import read_json, write_json
from keras_cvae.poses.body import CORE
from keras_cvae.poses.dancer import Dancer, make_dancer, write_dancer
from keras_cvae.predictor import SKELETON_POSES
from keras_cvae.training.config import TrainingConfig


class RunData(NamedTuple):
    """The data of a run.

    Args:
        clips: what is trained on.
        videos: by split, `"train"`, `"val"` and `"test"`; the last may be empty.
        twins: the mirrored videos of `"train"` that are trained on as well, see `data.mirroring`.
        fingerprint: of each split, see `keras_cvae.data.fingerprint`.
        dancer: what driving needs of the person, or `None` where no joints are known.
    """

    clips: Clips
    videos: dict[str, list[Video]]
    twins: list[Video]
    fingerprint: dict[str, dict]
    dancer: Dancer | None = None

    def store(self, run: Path) -> None:
        """Writes the fingerprint, and what is known of the person, into a run folder."""
        write_json(run / runs.DATA, self.fingerprint)
        if self.dancer is not None:
            write_dancer(run / runs.DANCER, self.dancer)
        else:  # that of other data, with which the run began, is not this one's
            (run / runs.DANCER).unlink(missing_ok=True)

    def poses(self, source: str) -> str | None:
        """What drew the pose images, see `CVAE`.

        Args:
            source: the `data` of the configuration.
        """
        if is_builtin(source):
            return source
        if self.dancer is None:
            return None
        height, width = self.videos["train"][0].frames.shape[1:3]
        return builtin_inside(source, (height, width)) or SKELETON_POSES


def load_data(config: TrainingConfig) -> RunData:
    """Reads all data of a run, so that what is damaged is not found after hours of training.

    Of several processes that train together the first reads, and the others get from it what they
    train on. They have no test videos, no fingerprint and no dancer.

    Args:
        config: of the run.

    Returns:
        `RunData`.

    Raises:
        UserError: for data that are missing or damaged, or with which this training cannot work.
    """
    check_divides(config.batch_size, process().world_size)
    with first_alone() as first:
        data = _read(config) if first else None
    if process().world_size == 1:
        assert data is not None
        return data
    videos = {split: share_videos(data and data.videos[split]) for split in ("train", "val")}
    twins = share_videos(data and data.twins)
    if data is not None:
        return data
    return RunData(_clips(config, videos["train"], twins), {**videos, "test": []}, twins, {})


def _read(config: TrainingConfig) -> RunData:
    splits = ["train", "val", *(["test"] if has_split(config.data, "test") else [])]
    videos = {
        split: load_videos(config.data, split, config.frame_size, config.cache) for split in splits
    }
    videos.setdefault("test", [])
    twins: list[Video] = []
    dancer = None
    if not is_builtin(config.data) and has_joints(config.data):
        if config.mirror:
            twins = mirrored_videos(videos["train"], _joints(config.data))
        dancer = _dancer(config, videos["train"])
    clips = _clips(config, videos["train"], twins)
    for split in ("val", "test"):
        check_predictable(videos[split], split)
    steps = config.epochs * len(clips)
    if config.accumulate > steps and config.minutes is None:
        raise UserError(
            f"--accumulate {config.accumulate} is more than all {steps} batches of the training: "
            "the weights would never change. Lower it, or raise --epochs."
        )
    of_splits = {**videos, "train": [*videos["train"], *twins]}
    prints = {split: fingerprint(each, split) for split, each in of_splits.items()}
    return RunData(clips, videos, twins, prints, dancer)


def _clips(config: TrainingConfig, videos: list[Video], twins: list[Video]) -> Clips:
    shares = [first_share(each, config.partial) for each in (videos, twins) if each]
    return Clips(
        [video for share in shares for video in share],
        clip_length=config.clip_length,
        batch_size=config.batch_size,
        stride=config.stride,
        seed=config.seed,
        mirror=bool(config.mirror) and not twins,
    )


def _joints(root: str) -> Joints:
    return read_joints(Path(root) / JOINTS_FILE)


def _dancer(config: TrainingConfig, videos: Sequence[Video]) -> Dancer | None:
    """The person in the videos that are trained on, `None` where the joints do not tell."""
    try:
        joints = _joints(config.data)
        every = joints_of_videos(videos, joints)
    except UserError as error:
        warnings.warn(f"other people cannot drive this run: {error}", stacklevel=3)
        return None
    used = first_share(videos, config.partial)
    found = np.concatenate(
        [own[: len(video.frames)] for own, video in zip(every, used, strict=False)]
    )
    if np.isnan(found[:, CORE]).any(axis=(1, 2)).all():
        return None  # no frame has shoulders and hips
    mirrored = mirrored_joints(found, config.frame_size[1]) if config.mirror else None
    return make_dancer([video.frames for video in used], found, float(joints.fps), mirrored)


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
