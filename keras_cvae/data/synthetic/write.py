"""The built-in data as a folder of images."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from keras_cvae.data.joints import INFO_FILE, JOINTS_FILE, Joints, joined, write_joints
from keras_cvae.data.synthetic.dataset import dance_joints, iter_frames
from keras_cvae.data.synthetic.picture import check_frame_size
from keras_cvae.data.synthetic.splits import FPS, LENGTHS, dance_key, split_lengths
from keras_cvae.errors import check_choice
from keras_cvae.files import check_new, new_folder, write_json
from keras_cvae.images import DEFAULT_FRAME_SIZE
from keras_cvae.progress import Progress


def write_dataset(
    folder: str | os.PathLike,
    frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
    seed: int = 0,
    frames: Mapping[str, int | Sequence[int]] | None = None,
    ball: bool = False,
) -> Path:
    """Writes the built-in data as PNG files in the dance-lab layout.

    `train/train_img/N.png` with `train/train_label/N.png`, the same for `val` (in subfolders `K`
    if a split has several videos), and `test/test_img/K/0.png`, `test/test_label/K/N.png`,
    `test/test_truth/K/N.png`. `joints.npz` has the joints (`data.joints.Joints`), `dataset.json`
    the frame size and rate, and `"ball": true` with `ball`. The folder appears when it is complete.

    Args:
        folder: where to write; it must not exist.
        frame_size, seed: as for `builtin_videos`.
        frames: dict split -> lengths, see `builtin_videos`. Other splits keep their lengths.
        ball: whether the ball is drawn, see `builtin_videos`.

    Returns:
        The folder.

    Raises:
        UserError: if an argument is out of range, or the folder exists.

    Example:
        >>> write_dataset("dance", frame_size=(64, 128), frames={"test": [630, 630]})
    """
    folder = Path(folder)
    check_new(folder)
    frame_size, frames = check_frame_size(frame_size), frames or {}
    for split in frames:
        check_choice("split", split, LENGTHS)
    lengths = {split: split_lengths(split, frames.get(split)) for split in LENGTHS}
    total = sum(sum(each) for each in lengths.values())

    parts: list[Joints] = []
    with new_folder(folder) as partial, Progress(total, "drawing") as progress:
        for split, each in lengths.items():
            for index, length in enumerate(each):
                video = str(index) if split == "test" or len(each) > 1 else ""
                kinds = ("img", "label", "truth") if split == "test" else ("img", "label")
                targets = {kind: partial / split / f"{split}_{kind}" / video for kind in kinds}
                for target in targets.values():
                    target.mkdir(parents=True)
                key = dance_key(split, index, seed)
                joints = dance_joints(key, length, frame_size).astype(np.float32)
                parts.append(_table(joints, split, video, frame_size))
                pairs = iter_frames(key, length, frame_size, ball)
                for t, (frame, pose) in enumerate(pairs):
                    images = {"img": frame, "label": pose, "truth": frame}
                    for kind, target in targets.items():
                        # Only the first frame of a test video is given.
                        if split != "test" or kind != "img" or t == 0:
                            _write(target / f"{t}.png", images[kind])
                    progress.update()
        write_joints(partial / JOINTS_FILE, joined(parts))
        info = {"frame_size": list(frame_size), "fps": FPS, "seed": seed}
        write_json(partial / INFO_FILE, info | ({"ball": True} if ball else {}))
    return folder


def _write(path: Path, image: np.ndarray) -> None:
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    path.write_bytes(data.tobytes())


def _table(joints: np.ndarray, split: str, video: str, frame_size: tuple[int, int]) -> Joints:
    count = len(joints)
    splits, videos = np.repeat(split, count), np.repeat(video, count)
    numbers, size = np.arange(count), np.array(frame_size)
    return Joints(joints, splits, videos, numbers, size, np.array(float(FPS)))
