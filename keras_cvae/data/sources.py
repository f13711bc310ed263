"""The videos of a split, built in or in a folder."""

import os
from pathlib import Path

from keras_cvae.data.joints import read_info
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError
from keras_cvae.images import DEFAULT_FRAME_SIZE

BUILTIN, BUILTIN_BALL = "builtin", "builtin-ball"


def is_builtin(data: str | os.PathLike | None) -> bool:
    """Whether data are the built-in ones, with or without the ball, and not a folder."""
    return data in (BUILTIN, BUILTIN_BALL)


def builtin_inside(folder: str | os.PathLike, frame_size: tuple[int, int]) -> str | None:
    """Which of the built-in data a data folder holds, as its `dataset.json` says.

    Args:
        folder: the data folder.
        frame_size: (height, width) in which its images are used. In another one than their own,
            skeletons have lines of another width than if they had been drawn in it.

    Returns:
        `"builtin"`, `"builtin-ball"`, or `None` if the images are others, or are not known.
    """
    try:
        info = read_info(folder)
    except UserError:
        return None
    if "seed" not in info or info["frame_size"] != frame_size:
        return None
    return BUILTIN_BALL if info.get("ball") is True else BUILTIN


def load_videos(
    data: str | os.PathLike,
    split: str,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    cache: str | os.PathLike | None = None,
) -> list[Video]:
    """Loads the videos of one split.

    Args:
        data: `"builtin"` for the procedural dancer, `"builtin-ball"` for the same dancer with a
            bouncing ball that the pose does not determine, or a folder in the dance-lab layout, see
            `read_split`. Write `"./builtin"` for a folder of that name.
        split: `"train"`, `"val"` or `"test"`.
        frame_size: `(height, width)` of the result. `None` keeps a folder's own size; that of the
            built-in data is then 32 x 64.
        cache: folder for the decoded images of a data folder, see `read_split`.

    Returns:
        The videos, uint8 RGB.

    Raises:
        UserError: for an unknown split, a folder in which something is missing or unreadable, or a
            cache for the built-in data.

    Example:
        >>> videos = load_videos("builtin", "train")
        >>> clips = Clips(videos, batch_size=8)
    """
    if not is_builtin(data):
        from keras_cvae.data.dance_folder import read_split

        return read_split(data, split, frame_size=frame_size, cache=cache)

    from keras_cvae.data.synthetic import builtin_videos

    if cache is not None:
        raise UserError(
            f"cache={os.fspath(cache)!r} was given with data={data!r}, which is drawn, not "
            "decoded. Leave it out."
        )
    return builtin_videos(split, frame_size=frame_size, ball=data == BUILTIN_BALL)


def has_split(data: str | os.PathLike, split: str) -> bool:
    """Whether the data have a split. A folder may have no test set.

    Args:
        data: `"builtin"`, `"builtin-ball"` or a folder.
        split: `"train"`, `"val"` or `"test"`.

    Returns:
        True for the built-in data, and if the split's folder exists; its content is not read.

    Raises:
        UserError: if `data` is a file.
    """
    if is_builtin(data):
        return True
    if os.path.isfile(data):
        from keras_cvae.data.image_names import check_folder

        check_folder(data, "The data folder", "It holds the splits, see read_split.")
    return os.path.lexists(Path(data) / split)


def true_videos(
    data: str | os.PathLike,
    split: str,
    frame_size: tuple[int, int] | None,
    cache: str | os.PathLike | None = None,
) -> list[Video]:
    """The videos of a split whose true frames are known.

    Args:
        data, split, frame_size, cache: as for `load_videos`.

    Returns:
        The videos; none if the split does not exist or has no true frames.

    Raises:
        UserError: as for `load_videos`.
    """
    if not has_split(data, split):
        return []
    return [video for video in load_videos(data, split, frame_size, cache) if video.has_truth]
