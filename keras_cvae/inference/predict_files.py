"""Predicts a video file from an image file and a folder of poses."""

import os

import numpy as np

from keras_cvae import video
from keras_cvae.data.dance_layout import numbered_images
from keras_cvae.data.decoding import read_image, read_images, resize_image
from keras_cvae.errors import check_at_least_1
from keras_cvae.images import chosen_frame_size, scaled
from keras_cvae.inference.loading import load_predictor
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
) -> str:
    """Predicts a video from image files and writes it.

    Args:
        model: a model in any format, see `inference.load_predictor`.
        first_frame: the image file of the given frame.
        poses: folder of pose images 0, 1, 2, ...; pose 0 belongs to the given frame.
        out: what to write: `x.gif`, `x.mp4`, or a folder of PNGs; see `video.write_video`.
        frame_size: (height, width) of the prediction. `None` takes that of the training, or that of
            the image if it is not known. An exported graph has only one size.
        temperature: at least 0, the scale of the prior noise; `None` takes the model's.
        seed: at least 0, of the prior noise; `None` samples fresh noise.
        fps: frames per second.
        zoom: at least 1, the factor of enlargement.
        side_by_side: whether the poses are shown next to the prediction, with captions.
        smooth: whether enlarging is smooth (cubic) instead of showing the true pixels.

    Returns:
        What was written, with the codec.

    Raises:
        UserError: for wrong paths, images or values.
    """
    video.check_output(out, fps)  # before all frames are predicted
    check_at_least_1(zoom=zoom)
    predictor = load_predictor(model)
    image = read_image(first_frame)
    size = chosen_frame_size(frame_size, predictor.frame_size, image.shape[:2])
    image = resize_image(image, size)
    pose_images, _ = read_images(numbered_images(poses), size, label="reading poses")
    predicted = [scaled(image)]
    with Progress(len(pose_images) - 1, "predicting") as progress:
        for frame in predictor.stream(image, pose_images, temperature, seed):
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
