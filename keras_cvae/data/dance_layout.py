"""Which files of a dance-lab folder belong together, and in which order."""

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from keras_cvae.data.decoding import IMAGE_SUFFIXES
from keras_cvae.errors import UserError, check_choice

SPLITS = ("train", "val", "test")

_HIDDEN = {"thumbs.db", "desktop.ini", "__macosx"}  # and every name that begins with a dot

# By video and number. The video is `None` if there are no subfolders.
Listing = dict[int | None, dict[int, Path]]

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


def find_sequences(root: str | os.PathLike, split: str) -> list[Sequence]:
    """Lists the videos of one split; opens no image. See `read_split` for the layout.

    Args:
        root: the data folder.
        split: `"train"`, `"val"` or `"test"`.

    Returns:
        The videos in numeric order, at least one.

    Raises:
        UserError: if a file is missing, unexpected or ambiguous; the message names it.
    """
    root = Path(root)
    check_choice("split", split, SPLITS)
    if not root.is_dir():
        raise UserError(f"The data folder {root} does not exist.")
    folder = root / split
    frames, poses = (_listing(folder / f"{split}_{kind}") for kind in ("img", "label"))
    _same_keys(frames, poses, folder / f"{split}_img", folder / f"{split}_label", "video")
    find = _test_sequences if split == "test" else _true_sequences
    return find(folder, frames, poses)


def _true_sequences(folder: Path, frames: Listing, poses: Listing) -> list[Sequence]:
    sequences: list[Sequence] = []
    gaps: list[str] = []
    for video in sorted(frames, key=_order):
        images, labels = frames[video], poses[video]
        _same_keys(
            images, labels, _place(folder, "img", video), _place(folder, "label", video), "number"
        )
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
            f"{folder}: the frame numbers have {len(gaps)} gap(s) ({_some(gaps)}). The frames "
            "between two gaps are a video of their own; no clip crosses a gap.",
            stacklevel=4,
        )
    return sequences


def _test_sequences(folder: Path, frames: Listing, poses: Listing) -> list[Sequence]:
    truth_folder = folder / "test_truth"
    truth = _listing(truth_folder) if truth_folder.is_dir() else None
    if truth is not None:
        _same_keys(poses, truth, folder / "test_label", truth_folder, "video")
    sequences = []
    for video in sorted(poses, key=_order):
        given, labels = frames[video], poses[video]
        place = _place(folder, "label", video)
        if video is None:
            raise UserError(
                f"{folder}: test images must lie in one subfolder per video, as in "
                "test_img/0/0.png and test_label/0/N.png."
            )
        if list(given) != [0]:
            raise UserError(
                f"{_place(folder, 'img', video)}: expected one image, number 0, the given frame; "
                f"got {_some(path.name for path in given.values())}. Known true frames belong in "
                f"{truth_folder / str(video)}."
            )
        if missing := [n for n in range(max(labels) + 1) if n not in labels]:
            raise UserError(
                f"{place}: poses must be numbered 0, 1, 2, ... without a gap, as pose 0 belongs to "
                f"the given frame; missing: {_some(missing)}."
            )
        images = dict(given)
        if truth is not None:
            images = truth[video] | given
            _same_keys(labels, images, place, truth_folder / str(video), "number")
        sequences.append(
            Sequence(
                _name(folder, video),
                [images[n] for n in sorted(images)],
                [labels[n] for n in sorted(labels)],
            )
        )
    return sequences


def _listing(folder: Path) -> Listing:
    entries = _visible(folder)
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        return {None: _by_number(entries)}
    if len(folders) < len(entries):
        file = next(entry for entry in entries if entry not in folders)
        raise UserError(
            f"{folder} holds both images ({file.name}) and subfolders ({folders[0].name}). Put "
            "every video into a subfolder, or have one video and no subfolder."
        )
    return {n: _by_number(_visible(entry)) for n, entry in _by_number(folders).items()}


def _visible(folder: Path, hint: str = _LAYOUT) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"The folder {folder} does not exist. {hint}")
    entries = sorted(
        entry
        for entry in folder.iterdir()
        if not entry.name.startswith(".") and entry.name.lower() not in _HIDDEN
    )
    if not entries:
        raise UserError(f"The folder {folder} is empty; expected images 0.png, 1.png, ...")
    return entries


def numbered_images(folder: str | os.PathLike) -> list[Path]:
    """The images 0, 1, 2, ... of a folder, in numeric order.

    Args:
        folder: holds `N.png` (or another kind of image) from 0 on without a gap.

    Returns:
        Their paths.

    Raises:
        UserError: if the folder does not exist, is empty, holds other files, or lacks a number.
    """
    numbered = _by_number(_visible(Path(folder), "Give a folder of images N.png."))
    if missing := sorted(set(range(max(numbered) + 1)) - set(numbered)):
        raise UserError(
            f"{folder} has no image {_some(missing)}; poses count from 0, which belongs to the "
            "given frame, without a gap."
        )
    return [numbered[n] for n in sorted(numbered)]


def _by_number(entries: list[Path]) -> dict[int, Path]:
    numbered: dict[int, Path] = {}
    for entry in entries:
        is_folder = entry.is_dir()
        stem = entry.name if is_folder else entry.stem
        known = is_folder or entry.suffix.lower() in IMAGE_SUFFIXES
        if not (known and stem.isascii() and stem.isdecimal()):
            raise UserError(
                f"{entry}: expected a number with one of the endings {', '.join(IMAGE_SUFFIXES)} "
                "(or a subfolder named by a number). Rename it, or move it elsewhere."
            )
        other = numbered.setdefault(int(stem), entry)
        if other is not entry:
            raise UserError(
                f"{entry.parent}: {other.name} and {entry.name} are the same number; keep one."
            )
    return numbered


def _same_keys(left: dict, right: dict, left_folder: Path, right_folder: Path, what: str) -> None:
    if (None in left) != (None in right):
        nested, flat = (right_folder, left_folder) if None in left else (left_folder, right_folder)
        raise UserError(
            f"{nested} has subfolders and {flat} has none; both or neither must have them."
        )
    for have, lack, folder, other in (
        (left, right, left_folder, right_folder),
        (right, left, right_folder, left_folder),
    ):
        if missing := sorted(set(have) - set(lack)):
            names = [path.name for path in map(have.get, missing) if isinstance(path, Path)]
            raise UserError(
                f"{folder} has {what} {_some(names or missing)}, but {other} has not. Each frame "
                "needs a pose of the same number, and each pose a frame."
            )


def _place(folder: Path, kind: str, video: int | None) -> Path:
    place = folder / f"{folder.name}_{kind}"
    return place if video is None else place / str(video)


def _name(folder: Path, video: int | None) -> str:
    return folder.name if video is None else f"{folder.name}_{video}"


def _order(video: int | None) -> int:
    return -1 if video is None else video


def _some(things: Iterable[Any]) -> str:
    words = [str(thing) for thing in things]
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")
