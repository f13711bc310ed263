"""The poses of a driver: of a video, of keypoints, or of both."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.poses.blazepose import BlazePose
from keras_cvae.poses.follow import check_track, follow
from keras_cvae.poses.keypoints import Keypoints, read_keypoints
from keras_cvae.poses.source import MAX_FPS, Source, open_source, usual_rate
from keras_cvae.poses.track import Track, make_track
from keras_cvae.poses.tracking import follow_keypoints
from keras_cvae.video.read import VideoInfo, check_not_faster, count_frames

SHORTEST = 2  # frames: the given one, and one to predict


class Driver(NamedTuple):
    """The poses of the longest part of a video in which a person is seen without interruption.

    Args:
        joints: (T, 19, 2) in pixels of the video, NaN where a joint is not seen.
        fps: frames per second.
        image_size: (height, width) of the video in pixels; `None` where it is not known.
        first: the number of the first of these frames.
        total: how many frames the video has.
        source: the video, or `None` where keypoints alone are given.
    """

    joints: np.ndarray
    fps: float
    image_size: tuple[int, int] | None
    first: int
    total: int
    source: Source | None

    def images(self) -> Iterator[np.ndarray]:
        """The frames of the video that belong to the poses, (H, W, 3) uint8."""
        if self.source is None:
            return
        last = self.first + len(self.joints)
        for number, (_, image) in enumerate(self.source.frames()):
            if number >= last:
                return
            if number >= self.first:
                yield image


def read_driver(
    video: str | os.PathLike | None = None,
    keypoints: str | os.PathLike | None = None,
    person: str | int | None = None,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    limit: int | None = None,
    pose_models: str | os.PathLike | None = None,
) -> Driver:
    """Reads the poses of a driver.

    Args:
        video: a video file or a folder of numbered images; its poses are estimated if no
            `keypoints` are given.
        keypoints: see `poses.keypoints.read_keypoints`; one entry for each frame of the video.
        person: see `poses.people.check_rule`.
        fps: frames per second to take, at most those of the video or the keypoints; `None` is
            `poses.source.usual_rate` of theirs. Keypoints of an unknown rate have this one, or 30.
        start, end: seconds of the video to use.
        limit: at most so many frames.
        pose_models: see `poses.model_files.model_files`.

    Returns:
        `Driver`.

    Raises:
        UserError: if neither is given, or nobody is seen for long enough.
    """
    if video is None:
        if keypoints is None:
            raise UserError("Nothing drives: give a video, or keypoints.")
        return _of_keypoints(keypoints, person, fps, start, end, limit)
    source = open_source(video, fps, start, end, limit)
    poses: BlazePose | tuple[str | os.PathLike, Keypoints]
    if keypoints is None:
        poses = BlazePose(pose_models)
    else:
        poses = keypoints, read_keypoints(keypoints, source.info.frame_size)
    followed = follow(source, poses, person, anyway=True, still_camera=False, shortest=SHORTEST)
    first, joints = _longest(followed.track)
    return Driver(joints, source.fps, source.info.frame_size, first, followed.frames, source)


def _of_keypoints(
    path: str | os.PathLike,
    person: str | int | None,
    fps: float | None,
    start: float,
    end: float | None,
    limit: int | None,
) -> Driver:
    read = read_keypoints(path)
    own = read.fps or (MAX_FPS if fps is None else fps)
    check_not_faster(path, fps, own)
    total, fps = len(read.people), usual_rate(own) if fps is None else fps
    info = VideoInfo(read.frame_size or (1, 1), own, total, total / own if own else 0.0)
    count = count_frames(info, fps, start, end, limit)
    chosen = [round((start + n / fps) * own) for n in range(count)]
    chosen = [number for number in chosen if number < total]
    if not chosen:
        raise UserError(
            f"{path} has no frame between {start:g} s and {'its end' if end is None else end}: it "
            f"has {total} at {own:g} a second. Choose another part."
        )
    people = [read.people[number] for number in chosen]
    joints, scores = follow_keypoints(read._replace(people=people), str(path), person)
    track = make_track(joints, scores, fps, SHORTEST)
    check_track(track, str(path), 0.0, anyway=True, shortest=SHORTEST)
    first, found = _longest(track)
    return Driver(found, fps, read.frame_size, first, len(chosen), None)


def _longest(track: Track) -> tuple[int, np.ndarray]:
    first, end = max(track.segments, key=lambda each: each[1] - each[0])
    return first, track.joints[first:end]
