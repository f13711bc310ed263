"""The built-in data: videos of a drawn dancer with the pose of every frame."""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from keras_cvae.data.skeleton import draw_skeleton, supersampling
from keras_cvae.data.synthetic.body import Body, joint_array, pose_body
from keras_cvae.data.synthetic.choreography import choreograph
from keras_cvae.data.synthetic.figure import Figure
from keras_cvae.data.synthetic.scene import Room
from keras_cvae.data.synthetic.shadow import Shadow
from keras_cvae.data.synthetic.shapes import Projection
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError, check_choice
from keras_cvae.images import DEFAULT_FRAME_SIZE, check_pixels, empty_images
from keras_cvae.progress import Progress

FPS = 24
LENGTHS = {"train": (2400,), "val": (630,), "test": (630,) * 5}  # frames of each video

MAX_FRAMES = 2**18  # of a video, three hours: the joints of all its frames are in memory
MAX_VIDEOS = 1000  # of a split
_SMALLEST = 16  # pixels; a smaller pose image would not show the pose
# Lengths in units. A unit is the height of the picture, or less if the picture is narrow.
_NARROW = 1.2
_HEIGHT = 0.75  # of the dancer
_GROUND = 0.065  # from the lower edge up to the dancer's feet
_ARMS = 0.42  # from the dancer's middle to the tip of a stretched arm, and a little more
_CHUNK = 256  # frames whose shapes are computed at once


def builtin_videos(
    split: str,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    seed: int = 0,
    frames: int | Sequence[int] | None = None,
) -> list[Video]:
    """Draws one split of the built-in data: a dancer in a room, seen by one fixed camera.

    `"train"` is one video of 2,400 frames, `"val"` one of 630, `"test"` five of 630 with their true
    frames. Dancer and room are always the same. Every video is another dance: its moves, their
    order, the arms and the tempi differ. Only the dance is random; a frame is determined by its
    pose.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        frame_size: `(height, width)` of the images, both at least 16 pixels; `None` is 32 x 64. The
            dancer keeps its proportions; a wider picture has more room to dance.
        seed: at least 0. Another seed gives other dances in all splits. The same seed gives the
            same images, up to rounding in other versions of OpenCV and NumPy.
        frames: lengths for smaller or larger data. An integer is the length of each of the split's
            videos (`"test"` has five). A sequence has one length per video, and determines their
            number. A shorter video is the beginning of the longer one.

    Returns:
        The videos: uint8 RGB frames and poses, (T, height, width, 3).

    Raises:
        UserError: for an unknown split, or a size, length or seed out of range.

    Example:
        >>> video = builtin_videos("val")[0]
        >>> video.frames.shape
        (630, 32, 64, 3)
    """
    lengths = split_lengths(split, frames)
    with Progress(sum(lengths), f"drawing {split}") as progress:
        return [
            _render(
                dance_key(split, index, seed),
                length,
                frame_size,
                split if split != "test" else f"test_{index}",
                progress,
            )
            for index, length in enumerate(lengths)
        ]


def render_video(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    name: str = "dance",
) -> Video:
    """Draws one dance of any length and size.

    Args:
        choreography_seed: one or more integers, at least 0; determine the dance alone.
        frames: the number of frames, 24 per second.
        frame_size: `(height, width)`, see `builtin_videos`.
        name: of the video.

    Returns:
        The video: uint8 RGB frames and poses, (frames, height, width, 3).

    Raises:
        UserError: for a size, length or seed out of range.

    Example:
        >>> video = render_video(3, frames=240, frame_size=(128, 256))
    """
    with Progress(_check_length(frames), "drawing") as progress:
        return _render(choreography_seed, frames, frame_size, name, progress)


def _render(
    key: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None,
    name: str,
    progress: Progress,
) -> Video:
    height, width = frame_size = check_frame_size(frame_size)
    advice = "Ask for fewer or smaller frames."
    images, poses = np.split(empty_images(2 * frames, height, width, advice), 2)
    for t, (image, pose) in enumerate(iter_frames(key, frames, frame_size)):
        images[t], poses[t] = image, pose
        progress.update()
    return Video(name, images, poses)


def iter_frames(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draws one dance frame by frame, and keeps no frame.

    Args:
        choreography_seed, frames, frame_size: as for `render_video`.

    Yields:
        `(frame, pose)`, both (height, width, 3) uint8 RGB.

    Raises:
        UserError: for a size, length or seed out of range.
    """
    height, width = frame_size = check_frame_size(frame_size)
    scale = supersampling(frame_size)
    room = Room(frame_size, _unit(frame_size), scale)
    body, project = _dance(choreography_seed, frames, frame_size)

    canvas = np.empty_like(room.canvas)
    for start in range(0, frames, _CHUNK):
        part = _slice(body, slice(start, start + _CHUNK))
        figure, shadow = Figure(part, project, scale), Shadow(part, project, scale)
        joints = joint_array(part.joints)
        flat = project(joints)
        for t in range(len(joints)):
            np.copyto(canvas, room.canvas)
            shadow.draw(canvas, t)
            figure.draw(canvas, t)
            image = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
            yield image, draw_skeleton(flat[t], frame_size, joints[t, :, 2])


def dance_joints(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
) -> np.ndarray:
    """The joints of a dance; nothing is drawn.

    Args:
        choreography_seed, frames, frame_size: as for `render_video`.

    Returns:
        (frames, 19, 2), x and y in pixels for each of `skeleton.JOINTS`.

    Raises:
        UserError: for a size, length or seed out of range.
    """
    body, project = _dance(choreography_seed, frames, check_frame_size(frame_size))
    return project(joint_array(body.joints))


def _unit(frame_size: tuple[int, int]) -> float:
    return min(frame_size[0], frame_size[1] / _NARROW)


def _dance(
    choreography_seed: int | Sequence[int], frames: int, frame_size: tuple[int, int]
) -> tuple[Body, Projection]:
    """The dancer's body in space over time, and its way into the image."""
    height, width = frame_size
    unit = _unit(frame_size)
    reach = max(width / unit / 2 - _ARMS, 0.0) / _HEIGHT
    rng = np.random.default_rng(_check_seed(choreography_seed))
    body = pose_body(choreograph(rng, _check_length(frames), reach))
    return body, Projection(_HEIGHT * unit, (width / 2, height - _GROUND * unit))


def split_lengths(split: str, frames: int | Sequence[int] | None = None) -> tuple[int, ...]:
    """The length of each video of a split, in frames.

    Args:
        split, frames: as for `builtin_videos`.

    Raises:
        UserError: for an unknown split or a wrong length.
    """
    check_choice("split", split, LENGTHS)
    if frames is None:
        return LENGTHS[split]
    lengths: Any = frames if np.ndim(frames) else [frames] * len(LENGTHS[split])
    if len(lengths) == 0:
        raise UserError("frames is empty; give the length of at least one video.")
    if len(lengths) > MAX_VIDEOS:
        raise UserError(f"{split} has at most {MAX_VIDEOS} videos, got {len(lengths)} lengths.")
    return tuple(_check_length(length) for length in lengths)


def dance_key(split: str, index: int, seed: int) -> tuple[int, int, int]:
    """The choreography seed of one video of the built-in data.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        index: of the video in the split, from 0.
        seed: of the whole data, at least 0.

    Raises:
        UserError: for a wrong seed.
    """
    # Not from 0: NumPy ignores trailing zeros, and the seed alone would give the training video.
    return (_check_seed(seed), 1 + list(LENGTHS).index(split), index)


def _slice(body: Body, part: slice) -> Body:
    joints = {name: points[part] for name, points in body.joints.items()}
    return Body(joints, *(axes[part] for axes in body[1:]))


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_frame_size(frame_size: tuple[int, int] | None) -> tuple[int, int]:
    """The frame size as `(height, width)`, 32 x 64 for `None`.

    Raises:
        UserError: if a side is no integer or is below 16, or the image that is drawn, which is
            larger and then shrunk, is larger than `check_pixels` allows.
    """
    size: Any = DEFAULT_FRAME_SIZE if frame_size is None else tuple(frame_size)
    if len(size) != 2 or not all(_is_integer(n) and n >= _SMALLEST for n in size):
        raise UserError(
            f"frame_size must be (height, width), two integers from {_SMALLEST}, got {frame_size}."
        )
    height, width = map(int, size)
    scale = supersampling((height, width))
    what = f"The drawing of a frame of {height} x {width}, {scale} times as large,"
    check_pixels(scale * height, scale * width, what)
    return height, width


def _check_length(frames: Any) -> int:
    if not (_is_integer(frames) and frames > 0):
        raise UserError(f"frames must be a positive integer for each video, got {frames!r}.")
    if frames > MAX_FRAMES:
        raise UserError(f"A video has at most {MAX_FRAMES} frames, got {frames!r}.")
    return int(frames)


def _check_seed(seed: Any) -> Any:
    if not all(_is_integer(n) and n >= 0 for n in np.atleast_1d(np.array(seed, dtype=object))):
        raise UserError(f"A seed must be an integer, at least 0, got {seed!r}.")
    return seed
