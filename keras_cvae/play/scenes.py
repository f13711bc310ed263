"""Which first frames, which choreography and which dances belong to a model's person."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cvae import runs
from keras_cvae.data.joints import JOINTS_FILE, has_joints, joints_of_videos, read_joints
from keras_cvae.data.sources import BUILTIN, BUILTIN_BALL, has_split, load_videos
from keras_cvae.data.synthetic.dataset import dance_in_depth, iter_frames
from keras_cvae.data.synthetic.splits import FPS, LENGTHS, dance_key
from keras_cvae.errors import UserError
from keras_cvae.images import to_uint8
from keras_cvae.inference.drive import find_dancer
from keras_cvae.poses.dancer import Dancer
from keras_cvae.poses.normalise import Body, normalise
from keras_cvae.predictor import SKELETON_POSES

STARTS = 8  # first frames to choose from
MAX_IMAGES = 2**24  # bytes of the pose images of a choreography, before they are compressed
MAX_STARTS = 2**21  # bytes of all first frames
DANCED = 630  # frames of a random dance, and of a choreography at most
_RANDOM = 0xDA2CE  # ends the seeds of random dances: they are none of the data
_NARROWEST = 16  # pixels of a picture that the built-in dancer dances in


class Dance(NamedTuple):
    """The joints of a person over time.

    Args:
        joints: (T, 19, 2) in pixels of the frames, NaN where one is not seen.
        depth: (T, 19), larger is nearer; `None` where it is not known.
    """

    joints: np.ndarray
    depth: np.ndarray | None


class Start(NamedTuple):
    """A first frame to choose.

    Args:
        name: for people.
        image: (H, W, 3) uint8.
        joints: (19, 2), those of its person.
        depth: (19,), or `None` where it is not known.
    """

    name: str
    image: np.ndarray
    joints: np.ndarray
    depth: np.ndarray | None


class Scene(NamedTuple):
    """What is known of the person that a model was trained on.

    Args:
        frame_size: (height, width) of the frames.
        fps: frames per second.
        starts: first frames; the first one is that of the choreography, where there is one.
        choreography: `None` where the validation videos are not at hand.
        poses: (T, H, W, 3) uint8, the pose images of the choreography.
        body: what dances are fitted to; `None` of the built-in dancer, whose dances they are.
    """

    frame_size: tuple[int, int]
    fps: float
    starts: list[Start]
    choreography: Dance | None
    poses: np.ndarray | None
    body: Body | None

    def dance(self, seed: int, frames: int = DANCED) -> Dance:
        """A random dance of this person, at the rate of the frames.

        Args:
            seed: at least 0. Another seed gives another dance, and none is one of the data.
            frames: its length in frames of the built-in data, and the most that it has.

        Raises:
            UserError: for a seed or a length out of range.
        """
        height, width = (max(side, _NARROWEST) for side in self.frame_size)
        joints, depth = dance_in_depth((seed, _RANDOM), frames, (height, width))
        joints, depth = (_at_rate(each, self.fps) for each in (joints, depth))
        if self.body is None:
            return Dance(joints, depth)
        # Joints that were found in films have no depth: their pose images were drawn without.
        return Dance(normalise(joints, self.body), None)


def find_scene(model: str | os.PathLike, poses: str | None, frame_size: tuple[int, int]) -> Scene:
    """Finds what is known of a model's person.

    Args:
        model: the path that the model was loaded from.
        poses: what drew its pose images, see `CVAE`.
        frame_size: (height, width) of its frames.

    Returns:
        `Scene`.

    Raises:
        UserError: if the model's pose images are not known to be skeletons, or nothing is known of
            its person.
    """
    if poses in (BUILTIN, BUILTIN_BALL):
        return _builtin(frame_size, ball=poses == BUILTIN_BALL)
    if poses != SKELETON_POSES:
        raise UserError(
            f"{model} is not known to be trained on poses that draw_skeleton drew, so a skeleton "
            "cannot be dragged for it. Take a model that scripts/train.py trained on the built-in "
            f"data or on a data folder with {JOINTS_FILE}."
        )
    dancer = find_dancer(model)
    if dancer is not None and dancer.frames.shape[1:3] != frame_size:
        dancer = dancer.resized(frame_size)
    scene = _of_folder(model, frame_size, dancer)
    if scene is not None:
        return scene
    if dancer is None:
        raise UserError(
            f"{model} keeps nothing of the person that it was trained on. Give its run folder, or "
            f"put the {runs.DANCER} of its run next to it; scripts/train.py writes one if the data "
            f"folder has {JOINTS_FILE}."
        )
    return Scene(frame_size, float(dancer.fps), _starts_of(dancer), None, None, dancer.body)


def _at_rate(values: np.ndarray, fps: float) -> np.ndarray:
    """What the built-in data have at their times, (T, ...), at those of another frame rate."""
    last = len(values) - 1
    times = np.arange(min(int(last * fps / FPS), last) + 1) * FPS / fps
    before = times.astype(int)
    part = (times - before).reshape(-1, *(1,) * (values.ndim - 1))
    return (1 - part) * values[before] + part * values[np.minimum(before + 1, last)]


def _builtin(frame_size: tuple[int, int], ball: bool) -> Scene:
    key = dance_key("val", 0, 0)
    count = _affordable(frame_size, LENGTHS["val"][0])
    joints, depth = dance_in_depth(key, count, frame_size)
    chosen = set(_chosen(count, frame_size).tolist())
    starts, poses = [], []
    for t, (image, pose) in enumerate(iter_frames(key, count, frame_size, ball)):
        poses.append(pose)
        if t in chosen:
            starts.append(Start(_numbered(t), image, joints[t], depth[t]))
    return Scene(frame_size, FPS, starts, Dance(joints, depth), np.stack(poses), None)


def _of_folder(
    model: str | os.PathLike, frame_size: tuple[int, int], dancer: Dancer | None
) -> Scene | None:
    """The scene of a run whose data folder can still be read, else `None`."""
    path = Path(model)
    run = path if runs.is_run(path) else path.parent
    if dancer is None or not runs.is_run(run):
        return None
    try:
        data = runs.read_config(run).get("data")
        if not isinstance(data, str) or not has_joints(data) or not has_split(data, "val"):
            return None
        videos = load_videos(data, "val", frame_size)
        known = read_joints(Path(data) / JOINTS_FILE)
        joints = joints_of_videos(videos, known, "val")[0]
    except (UserError, OSError):  # not of this run, or changed since: the run knows enough
        return None
    count = _affordable(frame_size, len(joints))
    video, joints = videos[0], joints[:count]
    starts = [
        Start(_numbered(t), to_uint8(video.frames[t]), joints[t], None)
        for t in _chosen(count, frame_size).tolist()
    ]
    poses = to_uint8(video.poses[:count])
    return Scene(frame_size, float(known.fps), starts, Dance(joints, None), poses, dancer.body)


def _starts_of(dancer: Dancer) -> list[Start]:
    """Frames of the training in which most of the person is seen."""
    seen = np.isfinite(dancer.joints).all(axis=-1).sum(axis=1)
    best = np.flatnonzero(seen == seen.max())
    size = dancer.frames.shape[1:3]
    return [
        Start(f"frame {n + 1} of {len(seen)} of the training", dancer.frames[n], joints, None)
        for n in best[_chosen(len(best), (size[0], size[1]))].tolist()
        for joints in [dancer.joints[n]]
    ]


def _chosen(count: int, frame_size: tuple[int, int]) -> np.ndarray:
    """The numbers of a few frames from all over a video, the first one among them."""
    most = min(STARTS, max(1, MAX_STARTS // _bytes(frame_size)))
    return np.unique(np.linspace(0, count - 1, most).round().astype(int))


def _affordable(frame_size: tuple[int, int], count: int) -> int:
    """How many of a choreography's frames the page gets."""
    return min(count, DANCED, max(2, MAX_IMAGES // _bytes(frame_size)))


def _bytes(frame_size: tuple[int, int]) -> int:
    return frame_size[0] * frame_size[1] * 3


def _numbered(t: int) -> str:
    return f"frame {t + 1} of the validation video"
