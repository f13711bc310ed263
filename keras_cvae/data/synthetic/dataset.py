"""The built-in data: videos of a drawn dancer with the pose of every frame."""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from keras_cvae.data.skeleton import draw_skeleton, supersampling
from keras_cvae.data.synthetic.ball import RADIUS, Ball, ball_box, bounce, in_space
from keras_cvae.data.synthetic.body import Body, joint_array, pose_body
from keras_cvae.data.synthetic.choreography import choreograph
from keras_cvae.data.synthetic.figure import Figure
from keras_cvae.data.synthetic.picture import check_frame_size, projection_of, reach_of, unit_of
from keras_cvae.data.synthetic.scene import Room
from keras_cvae.data.synthetic.shadow import Shadow
from keras_cvae.data.synthetic.shapes import Projection
from keras_cvae.data.synthetic.splits import check_length, check_seed, dance_key, split_lengths
from keras_cvae.data.videos import Video
from keras_cvae.images import DEFAULT_FRAME_SIZE, empty_images
from keras_cvae.progress import Progress

_BALL = 0xBA11  # ends the ball's seed: its generator is not the dance's
_CHUNK = 256  # frames whose shapes are computed at once


def builtin_videos(
    split: str,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    seed: int = 0,
    frames: int | Sequence[int] | None = None,
    ball: bool = False,
) -> list[Video]:
    """Draws one split of the built-in data: a dancer in a room, seen by one fixed camera.

    `"train"` is one video of 2,400 frames, `"val"` one of 630, `"test"` five of 630 with their true
    frames. Dancer and room are always the same. Every video is another dance: its moves, their
    order, the arms and the tempi differ. Only the dance is random; a frame is determined by its
    pose. With `ball`, a ball bounces in front of the same dancer. Random kicks change its velocity,
    about every 20 frames; the pose does not determine where it is.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        frame_size: `(height, width)` of the images, both at least 16 pixels; `None` is 32 x 64. The
            dancer keeps its proportions; a wider picture has more room to dance.
        seed: at least 0. Another seed gives other dances in all splits. The same seed gives the
            same images, up to rounding in other versions of OpenCV and NumPy.
        frames: lengths for smaller or larger data. An integer is the length of each of the split's
            videos (`"test"` has five). A sequence has one length per video, and determines their
            number. A shorter video is the beginning of the longer one.
        ball: whether the ball is drawn. The dance, the poses and the room stay the same.

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
                ball,
            )
            for index, length in enumerate(lengths)
        ]


def render_video(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    name: str = "dance",
    ball: bool = False,
) -> Video:
    """Draws one dance of any length and size.

    Args:
        choreography_seed: one or more integers, at least 0; determine the dance and the ball.
        frames: the number of frames, 24 per second.
        frame_size: `(height, width)`, see `builtin_videos`.
        name: of the video.
        ball: whether the ball is drawn, see `builtin_videos`.

    Returns:
        The video: uint8 RGB frames and poses, (frames, height, width, 3).

    Raises:
        UserError: for a size, length or seed out of range.

    Example:
        >>> video = render_video(3, frames=240, frame_size=(128, 256))
    """
    with Progress(check_length(frames), "drawing") as progress:
        return _render(choreography_seed, frames, frame_size, name, progress, ball)


def _render(
    key: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None,
    name: str,
    progress: Progress,
    ball: bool,
) -> Video:
    height, width = frame_size = check_frame_size(frame_size)
    advice = "Ask for fewer or smaller frames."
    images, poses = np.split(empty_images(2 * frames, height, width, advice), 2)
    for t, (image, pose) in enumerate(iter_frames(key, frames, frame_size, ball)):
        images[t], poses[t] = image, pose
        progress.update()
    return Video(name, images, poses)


def iter_frames(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    ball: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draws one dance frame by frame, and keeps no frame.

    Args:
        choreography_seed, frames, frame_size, ball: as for `render_video`.

    Yields:
        `(frame, pose)`, both (height, width, 3) uint8 RGB.

    Raises:
        UserError: for a size, length or seed out of range.
    """
    height, width = frame_size = check_frame_size(frame_size)
    scale = supersampling(frame_size)
    room = Room(frame_size, unit_of(frame_size), scale)
    body, project = _dance(choreography_seed, frames, frame_size)
    centres = _ball(choreography_seed, frames, frame_size) if ball else None

    canvas = np.empty_like(room.canvas)
    for start in range(0, frames, _CHUNK):
        part = slice(start, start + _CHUNK)
        dancer, places = _slice(body, part), None if centres is None else centres[part]
        figure = Figure(dancer, project, scale)
        shadow = Shadow(dancer, project, scale, places)
        drawn_ball = None if places is None else Ball(places, project, scale)
        joints = joint_array(dancer.joints)
        flat = project(joints)
        for t in range(len(joints)):
            np.copyto(canvas, room.canvas)
            shadow.draw(canvas, t)
            figure.draw(canvas, t)
            if drawn_ball is not None:
                drawn_ball.draw(canvas, t)
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
    return dance_in_depth(choreography_seed, frames, frame_size)[0]


def dance_in_depth(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """The joints of a dance and their depth, from which its pose images are drawn.

    Args:
        choreography_seed, frames, frame_size: as for `render_video`.

    Returns:
        `(joints, depth)`: (frames, 19, 2), as of `dance_joints`, and (frames, 19), larger is nearer
        to the camera.

    Raises:
        UserError: for a size, length or seed out of range.

    Example:
        >>> joints, depth = dance_in_depth(3, frames=240)
        >>> pose = draw_skeleton(joints[0], (32, 64), depth[0])  # that of iter_frames
    """
    body, project = _dance(choreography_seed, frames, check_frame_size(frame_size))
    joints = joint_array(body.joints)
    return project(joints), joints[..., 2]


def ball_centres(
    choreography_seed: int | Sequence[int],
    frames: int,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
) -> np.ndarray:
    """Where the ball is; nothing is drawn.

    The centres of the videos of `builtin_videos` are those of the seed `splits.dance_key`.

    Args:
        choreography_seed, frames, frame_size: as for `render_video`.

    Returns:
        (frames, 2), x and y of the centre in pixels; (0, 0) is the corner of the image.

    Raises:
        UserError: for a size, length or seed out of range.

    Example:
        >>> ball_centres(3, frames=240).shape
        (240, 2)
    """
    frame_size = check_frame_size(frame_size)
    return projection_of(frame_size)(_ball(choreography_seed, frames, frame_size))


def ball_radius(frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE) -> float:
    """The radius of the ball in pixels, 2.28 in frames of 32 x 64.

    Args:
        frame_size: `(height, width)`, as for `render_video`.

    Raises:
        UserError: for a size out of range.
    """
    return RADIUS * projection_of(check_frame_size(frame_size)).scale


def _dance(
    choreography_seed: int | Sequence[int], frames: int, frame_size: tuple[int, int]
) -> tuple[Body, Projection]:
    """The dancer's body in space over time, and its way into the image."""
    rng = np.random.default_rng(check_seed(choreography_seed))
    body = pose_body(choreograph(rng, check_length(frames), reach_of(frame_size)))
    return body, projection_of(frame_size)


def _ball(
    choreography_seed: int | Sequence[int], frames: int, frame_size: tuple[int, int]
) -> np.ndarray:
    """The centre of the ball in space over time, (frames, 3)."""
    key: Any = check_seed(choreography_seed)
    rng = np.random.default_rng([*np.atleast_1d(np.array(key, dtype=object)).tolist(), _BALL])
    box = ball_box(projection_of(frame_size), frame_size)
    return in_space(bounce(rng, check_length(frames), *box).centres)


def _slice(body: Body, part: slice) -> Body:
    joints = {name: points[part] for name, points in body.joints.items()}
    return Body(joints, *(axes[part] for axes in body[1:]))
