"""What driving needs of the trained person: limbs, ranges of joints, and first frames."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_cvae.data.decoding import resize_image
from keras_cvae.data.skeleton import JOINTS
from keras_cvae.errors import UserError
from keras_cvae.files import read_npz, written_whole
from keras_cvae.images import to_uint8
from keras_cvae.poses.body import BONES, quiet
from keras_cvae.poses.normalise import Body, bone_range, measure

FRAMES = 100  # first frames to choose from
_SAME_SHAPE = 0.02  # by which the shapes of frames may differ
_IN_PIXELS = ("joints", "lengths", "height", "hips", "floor", "bones", "low", "high")
_MARGIN = 0.05  # of the body's height: so far beyond its range a joint still counts as seen


class Outside(NamedTuple):
    """How many poses lie outside of what training has seen.

    Args:
        frames: their number.
        joints: by name of the joint, in how many frames it is outside, the most frequent first.
    """

    frames: int
    joints: dict[str, int]


class Dancer(NamedTuple):
    """The person of a data folder, as a run keeps it.

    Args:
        frames: (M, H, W, 3) uint8, frames from all over the training videos.
        joints: (M, 19, 2) float32, their joints in pixels of the frames.
        lengths: (20,) see `normalise.Body`.
        height: () see `normalise.Body`.
        hips: (2,) see `normalise.Body`.
        floor: () see `normalise.Body`.
        bones: (20, 2) of `normalise.bone_range`.
        low: (19, 2) the least x and y of each joint in training.
        high: (19, 2) the greatest.
        fps: () frames per second.
    """

    frames: np.ndarray
    joints: np.ndarray
    lengths: np.ndarray
    height: np.ndarray
    hips: np.ndarray
    floor: np.ndarray
    bones: np.ndarray
    low: np.ndarray
    high: np.ndarray
    fps: np.ndarray

    @property
    def body(self) -> Body:
        """The body to fit others to."""
        return Body(self.lengths, float(self.height), self.hips, float(self.floor))

    def resized(self, frame_size: tuple[int, int]) -> "Dancer":
        """The same person in frames of another size.

        Args:
            frame_size: (height, width) in pixels.

        Raises:
            UserError: if it has another shape.
        """
        height, width = self.frames.shape[1:3]
        scale = frame_size[0] / height
        if abs(frame_size[1] / width / scale - 1) > _SAME_SHAPE:
            raise UserError(
                f"The person is known in frames of {height} x {width} pixels (height x width), and "
                f"the model predicts {frame_size[0]} x {frame_size[1]}, which have another shape. "
                "Export the model at a size of the same shape."
            )
        scaled = {name: getattr(self, name) * scale for name in _IN_PIXELS}
        frames = [resize_image(frame, frame_size) for frame in self.frames]
        return self._replace(frames=np.stack(frames), **scaled)

    def nearest(self, pose: np.ndarray) -> int:
        """The index of the frame nearest in pose.

        Args:
            pose: (19, 2) in pixels of the frames.
        """
        distances = quiet(np.nanmean, np.linalg.norm(self.joints - pose, axis=-1), axis=1)
        return int(np.argmin(np.nan_to_num(distances, nan=np.inf)))

    def outside(self, poses: np.ndarray) -> Outside:
        """Counts the poses with a joint where it never was in training.

        Args:
            poses: (T, 19, 2) in pixels of the frames.
        """
        margin = _MARGIN * float(self.height)
        low, high = self.low - margin, self.high + margin
        strange = np.any((poses < low) | (poses > high), axis=-1)  # NaN is neither
        # A joint that training never saw is outside wherever it is.
        strange |= np.isnan(self.low).any(axis=-1) & ~np.isnan(poses).any(axis=-1)
        counts = Counter(dict(zip(JOINTS, strange.sum(axis=0).tolist(), strict=True)))
        named = {name: count for name, count in counts.most_common() if count}
        return Outside(int(strange.any(axis=1).sum()), named)


def make_dancer(
    videos: Sequence[np.ndarray],
    joints: np.ndarray,
    fps: float,
    also_seen: np.ndarray | None = None,
) -> Dancer:
    """Measures the person of training videos.

    Args:
        videos: frames (T, H, W, 3) of each, uint8 or floats in [0, 1].
        joints: (N, 19, 2) of all of them, in pixels of the frames; in some frame shoulders and
            hips are seen.
        fps: frames per second.
        also_seen: (M, 19, 2), further joints that training sees, such as mirrored ones.

    Returns:
        `Dancer`, with up to 100 of the frames.
    """
    body = measure(joints)
    seen = joints if also_seen is None else np.concatenate([joints, also_seen])
    low, high = (quiet(np.nanpercentile, seen, each, axis=0) for each in (0.5, 99.5))
    chosen = np.unique(np.linspace(0, len(joints) - 1, FRAMES).round().astype(int))
    places = [(video, t) for video in videos for t in range(len(video))]
    return Dancer(
        to_uint8(np.stack([places[n][0][places[n][1]] for n in chosen])),
        joints[chosen].astype(np.float32),
        body.lengths,
        np.array(body.height),
        body.hips,
        np.array(body.floor),
        bone_range(seen),
        low,
        high,
        np.array(float(fps)),
    )


def write_dancer(path: str | os.PathLike, dancer: Dancer) -> None:
    """Writes a `Dancer` as an `.npz` file, whole or not at all."""
    with written_whole(path) as partial, open(partial, "wb") as file:
        np.savez_compressed(file, **dancer._asdict())


def read_dancer(path: str | os.PathLike) -> Dancer:
    """Reads what `write_dancer` wrote. Nothing in the file is run.

    Args:
        path: of the `.npz` file.

    Returns:
        `Dancer`.

    Raises:
        UserError: if it is damaged or holds something else.
    """
    dancer = Dancer(**read_npz(path, Dancer._fields))
    count, bones = len(dancer.joints) if dancer.joints.ndim else 0, len(BONES)
    shapes: dict[str, tuple] = dict.fromkeys(("height", "floor", "fps"), ())
    shapes |= {"joints": (count, len(JOINTS), 2), "lengths": (bones,), "bones": (bones, 2)}
    shapes |= {"hips": (2,), "low": (len(JOINTS), 2), "high": (len(JOINTS), 2)}
    fits = all(getattr(dancer, name).shape == shape for name, shape in shapes.items())
    images = dancer.frames
    fits &= images.dtype == np.uint8 and images.ndim == 4 and images.shape[::3] == (count, 3)
    numbers = [each for name, each in dancer._asdict().items() if name != "frames"]
    fits &= count > 0 and all(each.dtype.kind == "f" for each in numbers)
    if not fits or not (
        dancer.height > 0 and np.isfinite(dancer.hips).all() and 0 < dancer.fps < np.inf
    ):
        raise UserError(
            f"{path} does not hold what a run keeps for driving. Take that of a run that was "
            "trained on a data folder with joints.npz."
        )
    return dancer
