"""Own videos as a data folder in the dance-lab layout."""

import os
import re
import warnings
from collections.abc import Sequence

from keras_cvae.errors import UserError
from keras_cvae.files import check_new, new_folder
from keras_cvae.images import chosen_frame_size
from keras_cvae.poses.blazepose import BlazePose
from keras_cvae.poses.dataset_folder import Part, write_parts
from keras_cvae.poses.follow import follow
from keras_cvae.poses.keypoints import read_keypoints
from keras_cvae.poses.people import check_rule
from keras_cvae.poses.source import Source, open_source
from keras_cvae.poses.splits import divide
from keras_cvae.poses.window import Window, choose_window

SHORT = 20.0  # seconds; a shorter video gets a warning


def make_dataset(
    out: str | os.PathLike,
    videos: Sequence[str | os.PathLike],
    keypoints: Sequence[str | os.PathLike] = (),
    person: str | int | None = None,
    frame_size: tuple[int, int] | None = None,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    limit: int | None = None,
    pose_models: str | os.PathLike | None = None,
    anyway: bool = False,
) -> dict:
    """Makes a data folder of videos of one person, filmed by a camera that stands still.

    The person is found in each frame, the joints are smoothed, and one window is cut out in which
    the person stays, with its background. Videos of the same size share the window. Of each video
    the last 20 % in time become val, then test.

    The folder holds `train`, `val` and `test` (see `data.dance_folder.read_split`), `joints.npz`
    (`data.joints.Joints`), `dataset.json`, and `preview.png`, skeletons over frames. It appears
    whole or not at all.

    Args:
        out: the folder; it must not exist.
        videos: video files, or folders of numbered images.
        keypoints: of another tool, one file or folder for each video, see
            `poses.keypoints.read_keypoints`. Without them the joints are estimated by `BlazePose`.
        person: `"largest"`, `"left"`, `"right"`, or a number from 1, counted from the left.
        frame_size: (height, width) of the frames in pixels; `None` chooses by the person's shape.
        fps: frames per second; `None` takes those of the slowest video, see
            `source.usual_rate`.
        start, end: seconds of each video to use.
        limit: at most so many frames of each video.
        pose_models: folder of the pose estimator's files; `None` downloads them once.
        anyway: whether a small person, a track that jitters and a moving camera are warnings
            instead of errors.

    Returns:
        What `dataset.json` holds.

    Raises:
        UserError: if the folder exists, a video cannot be read, or it cannot work with it; nothing
            is left then.

    Example:
        >>> make_dataset("me", ["me.mp4"])
    """
    check_new(out)
    person = check_rule(person)
    chosen = None if frame_size is None else chosen_frame_size(frame_size)
    if keypoints and len(keypoints) != len(videos):
        raise UserError(
            f"Got {len(keypoints)} keypoint files for {len(videos)} videos. Give one for each."
        )
    if fps is None:
        fps = min(open_source(each).fps for each in videos)
    sources = [open_source(each, fps, start, end, limit) for each in videos]
    estimator = None if keypoints else BlazePose(pose_models)
    followed = []
    for number, source in enumerate(sources):
        poses = estimator or _read(keypoints[number], source)
        followed.append(follow(source, poses, person, anyway))
    names = _names(sources)
    made = [
        Part(source, each, divide(each.track.segments, source.name), name)
        for source, each, name in zip(sources, followed, names, strict=True)
    ]
    seconds = sum(b - a for each in made for a, b in each.followed.track.segments) / fps
    if seconds < SHORT:
        warnings.warn(
            f"only {seconds:.0f} s of video can be used; a model that follows new dances well "
            "needs 1 to 3 minutes",
            stacklevel=2,
        )
    for each in made:
        if len(each.followed.track.segments) > 1:
            warnings.warn(
                f"{each.source.name}: the person is lost and found again, so that it is in "
                f"{len(each.followed.track.segments)} segments; see in preview.png whether it is "
                "the same person",
                stacklevel=2,
            )
    windows: dict[tuple[int, int], Window] = {}
    for size in dict.fromkeys(each.source.info.frame_size for each in made):
        windows[size], chosen = _window(made, size, chosen)
    assert chosen is not None
    with new_folder(out) as folder:
        return write_parts(folder, made, windows, chosen, fps)


def _read(path: str | os.PathLike, source: Source) -> tuple:
    return path, read_keypoints(path, source.info.frame_size)


def _names(sources: Sequence[Source]) -> list[str]:
    """A folder's name for each video: that of the file, numbered if two of them are alike."""
    stems = [re.sub(r"[^\w-]+", "_", source.path.stem).strip("_") or "video" for source in sources]
    # Alike on a file system without large letters, and to the reader of folders, for 01 is 1.
    alike = {stem.lstrip("0").casefold() for stem in stems}
    if len(alike) == len(stems):
        return stems
    return [f"{number}_{stem}" for number, stem in enumerate(stems)]


def _window(
    made: Sequence[Part], size: tuple[int, int], chosen: tuple[int, int] | None
) -> tuple[Window, tuple[int, int]]:
    tracks = [each.followed.track for each in made if each.source.info.frame_size == size]
    joints = [track.joints[first:end] for track in tracks for first, end in track.segments]
    return choose_window(joints, max(track.height for track in tracks), size, chosen)
