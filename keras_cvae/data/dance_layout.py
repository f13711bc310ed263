"""Which files of a dance-lab folder belong together, and in which order."""

import os
import warnings
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from keras_cvae.data.image_names import (
    by_number,
    check_folder,
    check_image_name,
    entries_of,
    missing_numbers,
    natural_order,
    some,
)
from keras_cvae.errors import UserError, check_choice

SPLITS = ("train", "val", "test")

_LAYOUT = (
    "Expected are <split>/<split>_img and <split>/<split>_label in the data folder, for train, val "
    "and test."
)


class Sequence(NamedTuple):
    """The files of one uninterrupted video, in order: texts, as many `Path`s take long to make.

    Args:
        name: of the video, which a file name may contain.
        frames: one file per pose, or the given frame alone if the true frames are unknown.
        poses: the pose images.
    """

    name: str
    frames: list[str]
    poses: list[str]


class _Folder(NamedTuple):
    path: Path
    names: list[str]

    def by_number(self) -> dict[int, str]:
        return by_number(self.path, self.names)

    def files(self, names: Iterable[str]) -> list[str]:
        start = os.path.join(self.path, "")
        return [start + name for name in names]


# By the name of the video, which is `None` if there are no subfolders.
_Listing = dict[str | None, _Folder]


def find_sequences(root: str | os.PathLike, split: str) -> list[Sequence]:
    """Lists the videos of one split; opens no image. See `read_split` for the layout.

    Args:
        root: the data folder.
        split: `"train"`, `"val"` or `"test"`.

    Returns:
        The videos in the order of their names, at least one.

    Raises:
        UserError: if a file is missing, unexpected or ambiguous; the message names it.
    """
    root = Path(root)
    check_choice("split", split, SPLITS)
    check_folder(root, "The data folder", _LAYOUT)
    folder = root / split
    frames, poses = (_listing(folder / f"{split}_{kind}") for kind in ("img", "label"))
    _same_videos(frames, poses, folder / f"{split}_img", folder / f"{split}_label")
    find = _test_sequences if split == "test" else _true_sequences
    return find(folder, frames, poses)


def train_lengths(root: str | os.PathLike) -> list[int]:
    """How many frames each training video has. Poses are not listed: that takes as long again.

    Args:
        root: the data folder.

    Returns:
        The lengths of the videos that `find_sequences` finds, in their order.

    Raises:
        UserError: as `find_sequences`, for what is wrong with the frames, or without poses.
    """
    folder = Path(root) / "train"
    check_folder(folder / "train_label", "The folder", _LAYOUT)
    frames = _listing(folder / "train_img")
    numbers = (sorted(frames[video].by_number()) for video in _in_order(frames))
    return [len(piece) for of_video in numbers for piece in _pieces(of_video)]


def numbered_images(folder: str | os.PathLike) -> list[Path]:
    """The images of a folder, in numeric order.

    Args:
        folder: holds `N.png`, `frame_N.png` or the like (or another kind of image), from any number
            on, without a gap. See `image_names.by_number` for the names.

    Returns:
        Their paths. The first one has the lowest number.

    Raises:
        UserError: if the folder does not exist, is empty, holds other files, or lacks a number.
    """
    folder = Path(folder)
    numbered = by_number(folder, entries_of(folder, "Give a folder of images N.png."))
    if missing := missing_numbers(numbered):
        raise UserError(
            f"{folder} has no image {missing}; expected are numbers without a gap, from that of "
            "the given frame on."
        )
    return [folder / numbered[n] for n in sorted(numbered)]


def _true_sequences(folder: Path, frames: _Listing, poses: _Listing) -> list[Sequence]:
    sequences: list[Sequence] = []
    gaps: list[str] = []
    for video in _in_order(frames):
        of_frames, of_poses = frames[video], poses[video]
        images, labels = of_frames.by_number(), of_poses.by_number()
        _same_keys(images, labels, of_frames.path, of_poses.path, "number")
        name = _name(folder, video)
        pieces = _pieces(sorted(images))
        gaps += [f"{name} from {one[-1]} to {other[0]}" for one, other in pairwise(pieces)]
        for piece in pieces:
            suffix = f"_{piece[0]}-{piece[-1]}" if len(pieces) > 1 else ""
            ours = of_frames.files(images[n] for n in piece)
            theirs = of_poses.files(labels[n] for n in piece)
            sequences.append(Sequence(name + suffix, ours, theirs))
    if gaps:
        warnings.warn(
            f"{folder}: the frame numbers have {len(gaps)} gap(s) ({some(gaps)}). The frames "
            "between two gaps are a video of their own; no clip crosses a gap.",
            stacklevel=4,
        )
    return sequences


def _pieces(numbers: list[int]) -> list[list[int]]:
    """Sorted numbers, cut at the gaps."""
    ends = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    return [numbers[a:b] for a, b in pairwise([0, *ends, len(numbers)])]


def _test_sequences(folder: Path, frames: _Listing, poses: _Listing) -> list[Sequence]:
    truth_folder = folder / "test_truth"
    truth = _listing(truth_folder) if os.path.lexists(truth_folder) else None
    if truth is not None:
        _same_videos(poses, truth, folder / "test_label", truth_folder)
    sequences = []
    for video in _in_order(poses):
        if video is None:
            raise UserError(
                f"{folder}: test images must lie in one subfolder per video, as in "
                "test_img/0/0.png and test_label/0/N.png."
            )
        given, of_poses = frames[video], poses[video]
        labels = of_poses.by_number()
        if len(given.names) != 1:
            raise UserError(
                f"{given.path}: expected one image, the given frame; got {some(given.names)}. "
                f"Known true frames belong in {truth_folder / given.path.name}."
            )
        check_image_name(given.path, given.names[0])
        if missing := missing_numbers(labels):
            raise UserError(
                f"{of_poses.path}: poses must be numbered without a gap, as the lowest number "
                f"belongs to the given frame; missing: {missing}."
            )
        images = given.files(given.names)
        if truth is not None:
            of_truth, lowest = truth[video], min(labels)
            true_images = of_truth.by_number() | {lowest: given.names[0]}
            _same_keys(labels, true_images, of_poses.path, of_truth.path, "number")
            images += of_truth.files(true_images[n] for n in sorted(true_images) if n != lowest)
        theirs = of_poses.files(labels[n] for n in sorted(labels))
        sequences.append(Sequence(_name(folder, video), images, theirs))
    return sequences


def _listing(folder: Path) -> _Listing:
    entries = entries_of(folder, _LAYOUT)
    folders = [name for name, is_folder in entries.items() if is_folder]
    if not folders:
        return {None: _Folder(folder, list(entries))}
    if len(folders) < len(entries):
        file = next(name for name, is_folder in entries.items() if not is_folder)
        raise UserError(
            f"{folder} holds both images ({file}) and subfolders ({folders[0]}). Put every video "
            "into a subfolder, or have one video and no subfolder."
        )
    listing: _Listing = {}
    for name in folders:
        entry = folder / name
        key = str(int(name)) if name.isascii() and name.isdecimal() else name  # 03 is video 3
        known = listing.setdefault(key, _Folder(entry, list(entries_of(entry, _LAYOUT)))).path
        if known != entry:
            raise UserError(f"{folder}: {known.name} and {name} are the same number; keep one.")
    return listing


def _same_videos(left: _Listing, right: _Listing, left_folder: Path, right_folder: Path) -> None:
    if (None in left) != (None in right):
        nested, flat = (right_folder, left_folder) if None in left else (left_folder, right_folder)
        raise UserError(
            f"{nested} has subfolders and {flat} has none; both or neither must have them."
        )
    names = {key: folder.path.name for key, folder in left.items()}
    other = {key: folder.path.name for key, folder in right.items()}
    _same_keys(names, other, left_folder, right_folder, "video")


def _same_keys(
    left: dict[Any, str],
    right: dict[Any, str],
    left_folder: Path,
    right_folder: Path,
    what: str,
) -> None:
    for have, lack, folder, other in (
        (left, right, left_folder, right_folder),
        (right, left, right_folder, left_folder),
    ):
        if missing := {key: name for key, name in have.items() if key not in lack}:
            names = (name for _, name in sorted(missing.items(), key=_of_item))
            raise UserError(
                f"{folder} has {what} {some(names)}, but {other} has not. "
                "Each frame needs a pose of the same number, and each pose a frame."
            )


def _of_item(item: tuple[Any, str]) -> Any:
    key, name = item
    return key if isinstance(key, int) else natural_order(name)


def _in_order(listing: _Listing) -> list[str | None]:
    return sorted(listing, key=lambda video: natural_order(video or ""))


def _name(folder: Path, video: str | None) -> str:
    return folder.name if video is None else f"{folder.name}_{video}"
