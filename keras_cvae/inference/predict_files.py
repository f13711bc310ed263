"""Predicts a video file from an image file and a folder of poses."""

import os

import numpy as np

from keras_cvae import video
from keras_cvae.data.dance_layout import numbered_images
from keras_cvae.data.decoding import image_size, read_image, read_images, resize_image
from keras_cvae.data.same_size import check_same_size
from keras_cvae.errors import UserError, check_at_least_1
from keras_cvae.images import check_finite, chosen_frame_size, scaled
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
    trust: bool = False,
) -> str:
    """Predicts a video from image files and writes it.

    Args:
        model: a model in any format, see `inference.load_predictor`.
        first_frame: the image file of the given frame.
        poses: folder of numbered pose images of the size of the given frame; the lowest number is
            the pose of the given frame.
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

    Returns:
        What was written, with the codec.

    Raises:
        UserError: for wrong paths, images or values, or a prediction that is not finite.
    """
    # What can be wrong with the files comes before the model is loaded, and all frames predicted.
    video.check_output(out, fps)
    check_at_least_1(zoom=zoom)
    pose_files = numbered_images(poses)
    if len(pose_files) < 2:
        raise UserError(
            f"{poses} holds one pose, that of the given frame: there is nothing to predict. Give "
            "the poses of further frames."
        )
    image = read_image(first_frame)
    for path in pose_files:
        check_same_size(first_frame, image.shape[:2], path, image_size(path))
    predictor = load_predictor(model, trust)
    size = chosen_frame_size(frame_size, predictor.frame_size, image.shape[:2])
    image = resize_image(image, size)
    pose_images, _ = read_images(pose_files, size, label="reading poses")
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
