"""Follows the person through a video: joints, quality, and errors where it cannot work."""

import os
import warnings
from typing import NamedTuple

import numpy as np

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.errors import UserError
from keras_cvae.poses.blazepose import BlazePose
from keras_cvae.poses.camera import CameraMotion
from keras_cvae.poses.keypoints import Keypoints
from keras_cvae.poses.people import Crowd
from keras_cvae.poses.source import Source
from keras_cvae.poses.track import SHORTEST, Track, make_track
from keras_cvae.poses.tracking import EstimatedPerson, KeypointPerson, Tracker, fitted_to
from keras_cvae.progress import Progress

MAX_JITTER = 0.05  # of the body's height: good videos have up to 1.6 %, failures 6.8 % and more
MIN_HEIGHT = 0.25  # of the image's height
LOOKS = 2.0  # a second: for other people and for the camera


class Followed(NamedTuple):
    """What `follow` found.

    Args:
        track: the joints.
        frames: how many frames were read.
        camera: how far the camera moved, as a share of the image's diagonal.
        poses: the name of what found them, such as `"OpenPose BODY_25"`.
    """

    track: Track
    frames: int
    camera: float
    poses: str


def follow(
    source: Source,
    poses: BlazePose | tuple[str | os.PathLike, Keypoints],
    person: str | int | None = None,
    anyway: bool = False,
    still_camera: bool = True,
    shortest: int = SHORTEST,
) -> Followed:
    """Follows one person through a video, with progress on stderr.

    Args:
        source: the video.
        poses: the estimator, or the path of a keypoint file and what was read from it.
        person: who is meant, see `people.check_rule`; `None` asks if several people are there.
        anyway: whether a poor track is a warning instead of an error.
        still_camera: whether the camera must stand still.
        shortest: frames of a segment, at least.

    Returns:
        `Followed`, with at least one segment.

    Raises:
        UserError: if nobody is found, or not for long enough, several people are there and it is
            not said who is meant; and if not `anyway`, for a person too small, a track that
            jitters, or a moving camera.
    """
    every = max(1, round(source.fps / LOOKS))
    crowd = Crowd(source.name, person, -(-source.length // every))
    tracker: Tracker
    if isinstance(poses, BlazePose):
        tracker, name = EstimatedPerson(poses, person, crowd), poses.name
    else:
        path, keypoints = poses
        keypoints = fitted_to(keypoints, source.info.frames, str(path), source.name)
        tracker, name = KeypointPerson(keypoints, person, crowd), keypoints.kind
    camera = CameraMotion(source.info.frame_size)
    joints, scores = [], []
    with Progress(source.length, f"finding the person in {source.name}") as progress:
        for number, (frame, image) in enumerate(source.frames()):
            found = tracker.find(image, frame, look=number % every == 0)
            if still_camera and number % every == 0:
                camera.look(image, None if found is None else found.joints)
            joints.append(np.full((len(JOINTS), 2), np.nan) if found is None else found.joints)
            scores.append(np.zeros(len(JOINTS)) if found is None else found.scores)
            progress.update()
    crowd.finish()
    track = make_track(np.array(joints), np.array(scores), source.fps, shortest)
    check_track(track, source.name, source.info.frame_size[0], anyway, shortest)
    if camera.moves:
        _refuse(
            f"{source.name}: the camera moves (by {camera.farthest:.0%} of the image in all), but "
            "the background must stay where it is. Film with a camera that stands still, or choose "
            "a part of the video with start and end",
            anyway,
        )
    return Followed(track, len(joints), camera.farthest, name)


def check_track(
    track: Track, name: str, image_height: float, anyway: bool = False, shortest: int = SHORTEST
) -> None:
    """Checks that a track can be used.

    Args:
        track: of `make_track`.
        name: of the video, in messages.
        image_height: in pixels.
        anyway: whether a poor track is a warning instead of an error.
        shortest: frames of a segment, at least.

    Raises:
        UserError: if it cannot.
    """
    if track.found == 0:
        raise UserError(
            f"{name}: nobody was found in any frame. The whole person must be seen, upright and "
            "not too small; or bring the keypoints of another tool."
        )
    if not track.segments:
        raise UserError(
            f"{name}: a person was found in {track.found:.0%} of the frames, but nowhere with "
            f"shoulders and hips for {shortest} frames without interruption. Take a longer part, "
            "or film one person whose whole body is seen all the time."
        )
    if track.height < MIN_HEIGHT * image_height:
        _refuse(
            f"{name}: the person is too small, {track.height:.0f} of {image_height:.0f} pixels "
            f"high, less than {MIN_HEIGHT:.0%}. Film from nearer, or crop the video",
            anyway,
        )
    if track.jitter > MAX_JITTER:
        _refuse(
            f"{name}: the joints jitter by {track.jitter:.1%} of the body's height a frame, more "
            f"than {MAX_JITTER:.0%}: they are probably wrong. Use a sharper video of one person "
            "who is seen as a whole, or the keypoints of another tool",
            anyway,
        )


def _refuse(text: str, anyway: bool) -> None:
    if not anyway:
        raise UserError(f"{text}; or go on all the same (anyway).")
    warnings.warn(f"{text}.", stacklevel=4)
