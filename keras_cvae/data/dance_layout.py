"""Which files of a dance-lab folder belong together, and in which order."""

import os
import warnings
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
    """The files of one uninterrupted video, in order.

    Args:
        name: of the video, which a file name may contain.
        frames: one file per pose, or the given frame alone if the true frames are unknown.
        poses: the pose images.
    """

    name: str
    frames: list[Path]
    poses: list[Path]


class _Folder(NamedTuple):
    path: Path
    files: list[Path]


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
    numbered = by_number(entries_of(Path(folder), "Give a folder of images N.png."))
    if missing := missing_numbers(numbered):
        raise UserError(
            f"{folder} has no image {missing}; expected are numbers without a gap, from that of "
            "the given frame on."
        )
    return [numbered[n] for n in sorted(numbered)]


def _true_sequences(folder: Path, frames: _Listing, poses: _Listing) -> list[Sequence]:
    sequences: list[Sequence] = []
    gaps: list[str] = []
    for video in _in_order(frames):
        images, labels = by_number(frames[video].files), by_number(poses[video].files)
        _same_keys(images, labels, frames[video].path, poses[video].path, "number")
        name = _name(folder, video)
        numbers = sorted(images)
        ends = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
        gaps += [f"{name} from {numbers[i - 1]} to {numbers[i]}" for i in ends]
        for first, end in zip([0, *ends], [*ends, len(numbers)], strict=True):
            piece = numbers[first:end]
            suffix = f"_{piece[0]}-{piece[-1]}" if ends else ""
            sequences.append(
                Sequence(name + suffix, [images[n] for n in piece], [labels[n] for n in piece])
            )
    if gaps:
        warnings.warn(
            f"{folder}: the frame numbers have {len(gaps)} gap(s) ({some(gaps)}). The frames "
            "between two gaps are a video of their own; no clip crosses a gap.",
            stacklevel=4,
        )
    return sequences


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
        given, labels = frames[video], by_number(poses[video].files)
        if len(given.files) != 1:
            raise UserError(
                f"{given.path}: expected one image, the given frame; got "
                f"{some(path.name for path in given.files)}. Known true frames belong in "
                f"{truth_folder / given.path.name}."
            )
        check_image_name(given.files[0])
        if missing := missing_numbers(labels):
            raise UserError(
                f"{poses[video].path}: poses must be numbered without a gap, as the lowest number "
                f"belongs to the given frame; missing: {missing}."
            )
        images = {min(labels): given.files[0]}
        if truth is not None:
            images = by_number(truth[video].files) | images
            _same_keys(labels, images, poses[video].path, truth[video].path, "number")
        sequences.append(
            Sequence(
                _name(folder, video),
                [images[n] for n in sorted(images)],
                [labels[n] for n in sorted(labels)],
            )
        )
    return sequences


def _listing(folder: Path) -> _Listing:
    entries = entries_of(folder, _LAYOUT)
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        return {None: _Folder(folder, entries)}
    if len(folders) < len(entries):
        file = next(entry for entry in entries if entry not in folders)
        raise UserError(
            f"{folder} holds both images ({file.name}) and subfolders ({folders[0].name}). Put "
            "every video into a subfolder, or have one video and no subfolder."
        )
    listing: _Listing = {}
    for entry in folders:
        name = entry.name
        key = str(int(name)) if name.isascii() and name.isdecimal() else name  # 03 is video 3
        known = listing.setdefault(key, _Folder(entry, entries_of(entry, _LAYOUT))).path
        if known != entry:
            raise UserError(f"{folder}: {known.name} and {name} are the same number; keep one.")
    return listing


def _same_videos(left: _Listing, right: _Listing, left_folder: Path, right_folder: Path) -> None:
    if (None in left) != (None in right):
        nested, flat = (right_folder, left_folder) if None in left else (left_folder, right_folder)
        raise UserError(
            f"{nested} has subfolders and {flat} has none; both or neither must have them."
        )
    paths = {key: folder.path for key, folder in left.items()}
    other = {key: folder.path for key, folder in right.items()}
    _same_keys(paths, other, left_folder, right_folder, "video")


def _same_keys(
    left: dict[Any, Path],
    right: dict[Any, Path],
    left_folder: Path,
    right_folder: Path,
    what: str,
) -> None:
    for have, lack, folder, other in (
        (left, right, left_folder, right_folder),
        (right, left, right_folder, left_folder),
    ):
        if missing := [path for key, path in sorted(have.items(), key=_of_item) if key not in lack]:
            raise UserError(
                f"{folder} has {what} {some(path.name for path in missing)}, but {other} has not. "
                "Each frame needs a pose of the same number, and each pose a frame."
            )


def _of_item(item: tuple[Any, Path]) -> Any:
    key, path = item
    return key if isinstance(key, int) else natural_order(path.name)


def _in_order(listing: _Listing) -> list[str | None]:
    return sorted(listing, key=lambda video: natural_order(video or ""))


def _name(folder: Path, video: str | None) -> str:
    return folder.name if video is None else f"{folder.name}_{video}"
