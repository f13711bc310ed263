"""A data folder written of videos in which the person was found."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from keras_cvae.data.joints import INFO_FILE, JOINTS_FILE, Joints, joined, write_joints
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.errors import UserError
from keras_cvae.files import write_json
from keras_cvae.poses.body import BONE_NAMES, full_lengths
from keras_cvae.poses.follow import Followed
from keras_cvae.poses.preview import COLUMNS, ROWS, overlay, preview_size, write_preview
from keras_cvae.poses.source import Source
from keras_cvae.poses.splits import Piece
from keras_cvae.poses.window import Window
from keras_cvae.progress import Progress
from keras_cvae.runs import package_versions

_PACKAGES = ("keras_cvae", "ai-edge-litert", "av", "numpy", "opencv-python")


class Part(NamedTuple):
    """One video of a data folder.

    Args:
        source: the video.
        followed: what was found in it.
        pieces: by split, the frames (first, end) of each piece.
        name: of its subfolders.
    """

    source: Source
    followed: Followed
    pieces: dict[str, list[Piece]]
    name: str


class _Sequence(NamedTuple):
    split: str
    folder: str
    first: int
    joints: np.ndarray  # in pixels of the frames


def write_parts(
    folder: Path,
    made: Sequence[Part],
    windows: dict[tuple[int, int], Window],
    frame_size: tuple[int, int],
    fps: float,
) -> dict:
    """Writes frames, pose images, joints, description and preview.

    Args:
        folder: an empty folder.
        made: the videos.
        windows: by the (height, width) of a video, what is cut out of it.
        frame_size: (height, width) of the frames in pixels.
        fps: frames per second.

    Returns:
        What `dataset.json` holds.
    """
    total = sum(
        end - first for each in made for pieces in each.pieces.values() for first, end in pieces
    )
    shown = set(np.linspace(0, total - 1, COLUMNS * ROWS).round().astype(int).tolist())
    pictures: list[np.ndarray] = []
    sequences: list[_Sequence] = []
    with Progress(total, "writing frames") as progress:
        for video in made:
            window = windows[video.source.info.frame_size]
            parts = _sequences(video, window, frame_size)
            sequences += parts
            waiting = [(part.first + n, part, n) for part in parts for n in range(len(part.joints))]
            waiting.sort(key=lambda each: each[0])
            place = iter(waiting)
            wanted = next(place)
            for number, (_, image) in enumerate(video.source.frames()):
                if number < wanted[0]:
                    continue
                _, part, at = wanted
                frame = window.crop(image, frame_size)
                _write_frame(folder, part, at, frame, frame_size)
                if progress.done in shown:
                    size = preview_size(frame_size)
                    joints = window.to_frame(video.followed.track.joints[number], size)
                    pictures.append(overlay(window.crop(image, size), joints))
                progress.update()
                if (following := next(place, None)) is None:
                    break
                wanted = following
            else:
                raise UserError(
                    f"{video.source.name} gave fewer frames when it was read again; it is damaged, "
                    "or it changed. Encode it again: ffmpeg -i IN -c:v libx264 OUT.mp4"
                )
    write_preview(folder / "preview.png", pictures)
    write_joints(
        folder / JOINTS_FILE, joined([_table(each, frame_size, fps) for each in sequences])
    )
    info = _info(made, windows, sequences, frame_size, fps)
    write_json(folder / INFO_FILE, info)
    return info


def _sequences(video: Part, window: Window, frame_size: tuple[int, int]) -> list[_Sequence]:
    found = []
    for split, pieces in video.pieces.items():
        for first, end in pieces:
            folder = video.name if len(pieces) == 1 else f"{video.name}_{first}-{end - 1}"
            joints = window.to_frame(video.followed.track.joints[first:end], frame_size)
            found.append(_Sequence(split, folder, first, joints))
    return found


def _write_frame(
    folder: Path, part: _Sequence, at: int, frame: np.ndarray, frame_size: tuple[int, int]
) -> None:
    images = {"label": draw_skeleton(part.joints[at], frame_size)}
    if part.split == "test":
        images["truth"] = frame
    if part.split != "test" or at == 0:  # only the first frame of a test video is given
        images["img"] = frame
    for kind, image in images.items():
        place = folder / part.split / f"{part.split}_{kind}" / part.folder
        place.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(".png", image[..., ::-1])
        (place / f"{part.first + at}.png").write_bytes(data.tobytes())


def _table(part: _Sequence, frame_size: tuple[int, int], fps: float) -> Joints:
    count = len(part.joints)
    return Joints(
        part.joints.astype(np.float32),
        np.repeat(part.split, count),
        np.repeat(part.folder, count),
        part.first + np.arange(count),
        np.array(frame_size),
        np.array(float(fps)),
    )


def _info(
    made: Sequence[Part],
    windows: dict[tuple[int, int], Window],
    sequences: Sequence[_Sequence],
    frame_size: tuple[int, int],
    fps: float,
) -> dict:
    counts = {
        split: sum(len(each.joints) for each in sequences if each.split == split)
        for split in ("train", "val", "test")
    }
    lengths = full_lengths(np.concatenate([each.joints for each in sequences]))
    bones = zip(BONE_NAMES, lengths.tolist(), strict=True)
    return {
        "frame_size": list(frame_size),
        "fps": fps,
        "frames": counts,
        "videos": [
            {
                "file": each.source.name,
                "image_size": list(each.source.info.frame_size),
                "start": each.source.start,
                "frames": each.followed.frames,
                "found": round(each.followed.track.found, 4),
                "segments": [list(segment) for segment in each.followed.track.segments],
                "jitter": round(each.followed.track.jitter, 5),
                "camera_motion": round(each.followed.camera, 5),
                "window": windows[each.source.info.frame_size]._asdict(),
                "poses": each.followed.poses,
            }
            for each in made
        ],
        "limb_lengths": {name: round(each, 3) for name, each in bones if not np.isnan(each)},
        "versions": package_versions(_PACKAGES),
    }
