"""Predicts a video file from an image file and a folder of poses."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from keras_cvae import video
from keras_cvae.data.dance_layout import numbered_images
from keras_cvae.data.decoding import image_size as image_size_of
from keras_cvae.data.decoding import read_image, read_images, resize_image
from keras_cvae.data.same_size import check_same_size
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.images import check_finite, chosen_frame_size, scaled
from keras_cvae.inference.loading import load_predictor
from keras_cvae.poses.keypoints import read_keypoints
from keras_cvae.poses.track import VISIBLE
from keras_cvae.poses.tracking import follow_keypoints
from keras_cvae.progress import Progress


def predict_files(
    model: str | os.PathLike,
    first_frame: str | os.PathLike,
    poses: str | os.PathLike,
    out: str | os.PathLike,
    frame_size: tuple[int, int] | None = None,
    temperature: float | None = None,
    seed: int | None = 0,
    fps: float = 24,
    zoom: int = 1,
    side_by_side: bool = False,
    smooth: bool = False,
    trust: bool = False,
    person: str | int | None = None,
) -> str:
    """Predicts a video from image files and writes it.

    Args:
        model: a model in any format, see `inference.load_predictor`.
        first_frame: the image file of the given frame.
        poses: folder of numbered pose images of the size of the given frame; the lowest number is
            the pose of the given frame. Or keypoints in pixels of the given frame, which are drawn
            where they are, without those of low score; see `poses.keypoints.read_keypoints`.
        out: what to write: `x.gif`, `x.mp4`, or a folder of PNGs; see `video.write_video`.
        frame_size: (height, width) of the prediction. `None` takes that of the training, or that of
            the image if it is not known. An exported graph has only one size.
        temperature: at least 0, the scale of the prior noise; `None` takes the model's.
        seed: at least 0, of the prior noise; `None` samples fresh noise.
        fps: frames per second.
        zoom: at least 1, the factor of enlargement.
        side_by_side: whether the poses are shown next to the prediction, with captions.
        smooth: whether enlarging is smooth (cubic) instead of showing the true pixels.
        trust: whether a format that can run code is loaded, see `inference.load_predictor`.
        person: whose keypoints are drawn, see `poses.people.check_rule`.

    Returns:
        What was written, with the codec.

    Raises:
        UserError: for wrong paths, images or values, or a prediction that is not finite.
    """
    # What can be wrong with the files comes before the model is loaded, and all frames predicted.
    video.check_output(out, fps)
    check_at_least_1(zoom=zoom)
    image = read_image(first_frame)
    read_poses = _images if _are_images(poses) else _keypoints
    count, pose_images_at = read_poses(poses, first_frame, image.shape[:2], person)
    if count < 2:
        raise UserError(
            f"{poses} holds one pose, that of the given frame: there is nothing to predict. Give "
            "the poses of further frames."
        )
    predictor = load_predictor(model, trust)
    size = chosen_frame_size(frame_size, predictor.frame_size, image.shape[:2])
    image = resize_image(image, size)
    pose_images = pose_images_at(size)
    predicted = [scaled(image)]
    with Progress(len(pose_images) - 1, "predicting") as progress:
        for frame in predictor.stream(image, pose_images, temperature, seed):
            check_finite(frame, f"The prediction of {model}, frame {len(predicted)},")
            predicted.append(frame)
            progress.update()
    frames = np.stack(predicted)
    interpolation = "cubic" if smooth else "nearest"
    if side_by_side:
        frames = video.side_by_side(
            None, frames, pose_images, zoom=zoom, interpolation=interpolation
        )
    elif zoom > 1:
        frames = video.enlarge(frames, zoom, interpolation)
    return video.write_video(out, frames, fps=fps)


def _are_images(poses: str | os.PathLike) -> bool:
    """Whether the poses are a folder of images, not keypoints in a file or in JSON files."""
    path = Path(poses)
    if path.is_dir():
        return not any(each.suffix.lower() == ".json" for each in path.iterdir())
    return path.suffix.lower() not in (".json", ".npz", ".npy")


# How many poses there are, and a function of the frame size that gives them as images.
_Poses: TypeAlias = tuple[int, Callable[[tuple[int, int]], np.ndarray]]


def _images(
    folder: str | os.PathLike,
    first_frame: str | os.PathLike,
    image_size: tuple[int, int],
    person: str | int | None,
) -> _Poses:
    if person is not None:
        raise UserError(f"{folder} holds images: a person is chosen of keypoints alone.")
    files = numbered_images(folder)
    for path in files:
        check_same_size(first_frame, image_size, path, image_size_of(path))
    return len(files), lambda size: read_images(files, size, label="reading poses")[0]


def _keypoints(
    path: str | os.PathLike,
    first_frame: str | os.PathLike,
    image_size: tuple[int, int],
    person: str | int | None,
) -> _Poses:
    keypoints = read_keypoints(path, image_size)
    print(f"poses: {keypoints.kind}", flush=True)
    joints, scores = follow_keypoints(keypoints, str(path), person)
    joints[scores < VISIBLE] = np.nan  # as in data that are made of videos
    if empty := int(np.isnan(joints).all(axis=(1, 2)).sum()):
        warnings.warn(
            f"{path}: nobody is there in {empty} of {len(joints)} frames; their poses are empty",
            stacklevel=2,
        )

    def draw(size: tuple[int, int]) -> np.ndarray:
        scale = np.array(size[::-1]) / image_size[::-1]
        return np.stack([draw_skeleton(each * scale, size) for each in joints])

    return len(joints), draw
