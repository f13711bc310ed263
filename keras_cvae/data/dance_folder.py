"""A folder in the dance-lab layout as videos, and as clips to train on."""

import os
from pathlib import Path

from keras_cvae.data.clips import Clips
from keras_cvae.data.dance_layout import find_sequences
from keras_cvae.data.image_cache import load_images
from keras_cvae.data.same_size import check_same_size
from keras_cvae.data.videos import Video
from keras_cvae.images import DEFAULT_FRAME_SIZE, chosen_frame_size


def read_split(
    root: str | os.PathLike,
    split: str,
    frame_size: tuple[int, int] | None = None,
    cache: str | os.PathLike | None = None,
) -> list[Video]:
    """Reads one split of a folder in the dance-lab layout.

    ```
    ROOT/train/train_img/N.png      frames in numeric order: 10 comes after 9
    ROOT/train/train_label/N.png    the pose of each frame, by its number
    ROOT/val/val_img, val_label     the same
    ROOT/test/test_img/K/N.png      the given frame of test video K, one image
    ROOT/test/test_label/K/N.png    its poses; the lowest number belongs to the given frame
    ROOT/test/test_truth/K/N.png    its true frames, if they are known
    ```

    Other names do as well if those of a folder are alike apart from one number, as
    `frame_000001.png`; see `image_names.by_number`.

    Subfolders `train_img/K` and `train_label/K` are separate videos; they may have any names. At a
    gap in the numbers one video ends and another begins; one warning lists the gaps. Images are
    PNG, JPEG or WebP of any size up to `images.check_pixels`. A pose must have the size of its
    frame, but may be another kind of file. The first frame of a test video is always the given one,
    so `test_truth` may begin at the number of the first pose or of the second. Names that begin
    with a dot and those in `image_names.IGNORED` (such as `Thumbs.db`) are ignored. Any other
    unexpected file is an error.

    Args:
        root: the folder that holds `train`, `val` and `test`.
        split: `"train"`, `"val"` or `"test"`.
        frame_size: `(height, width)` that images are resized to. `None` keeps their own size, which
            must then be the same in the whole split.
        cache: folder for decoded images. They are memory-mapped from there, and decoded again only
            if an image changes. `None` decodes them into memory.

    Returns:
        One `Video` per uninterrupted sequence, uint8, in numeric order. A test video without true
        frames holds the given frame alone: `frames` is (1, H, W, 3).

    Raises:
        UserError: if a file is missing, unexpected, unreadable or of the wrong size; the message
            names the file or folder.

    Example:
        >>> videos = read_split("my_data", "val", frame_size=(32, 64))
        >>> videos[0].frames.shape
        (630, 32, 64, 3)
    """
    if frame_size is not None:
        frame_size = chosen_frame_size(frame_size)
    sequences = find_sequences(root, split)
    paths = [path for sequence in sequences for path in (*sequence.frames, *sequence.poses)]

    def check(sizes: list[tuple[int, int]]) -> None:
        at = 0
        for _, frames, poses in sequences:
            middle, end = at + len(frames), at + len(frames) + len(poses)
            of_frames, of_poses = sizes[at:middle], sizes[middle:end]
            pairs = zip(poses, of_poses, strict=True)
            for t, (pose, size) in enumerate(pairs):
                t = t if t < len(frames) else 0  # the given frame, if there is no true one
                check_same_size(frames[t], of_frames[t], pose, size)
            at = end

    images = load_images(paths, Path(root), frame_size, cache, check, f"reading {split} images")
    videos, at = [], 0
    for name, frames, poses in sequences:
        middle, end = at + len(frames), at + len(frames) + len(poses)
        videos.append(Video(name, images[at:middle], images[middle:end]))
        at = end
    return videos


class DanceFolder(Clips):
    """Clips from a folder in the dance-lab layout: `Clips` of what `read_split` reads.

    Args:
        root: the data folder, see `read_split` for its layout.
        split: `"train"`, `"val"`, or `"test"` if its true frames are known.
        frame_size: `(height, width)` that images are resized to; `None` keeps their own size.
        clip_length, batch_size, stride, partial, seed, shuffle: as for `Clips`.
        cache: folder for decoded images, see `read_split`.

    Raises:
        UserError: as for `read_split` and `Clips`.

    Example:
        >>> model.fit(DanceFolder("my_data", frame_size=(32, 64)), epochs=10)
    """

    def __init__(
        self,
        root: str | os.PathLike,
        split: str = "train",
        frame_size: tuple[int, int] | None = DEFAULT_FRAME_SIZE,
        clip_length: int = 16,
        batch_size: int = 8,
        stride: int | None = None,
        partial: float = 1.0,
        seed: int = 0,
        shuffle: bool = True,
        cache: str | os.PathLike | None = None,
    ):
        videos = read_split(root, split, frame_size=frame_size, cache=cache)
        super().__init__(videos, clip_length, batch_size, stride, partial, seed, shuffle)
