"""From an image and a folder of poses to a video file."""

import numpy as np

from keras_cvae import video
from keras_cvae.data.dance_layout import numbered_images
from keras_cvae.data.images import read_image, read_images, resize_image
from keras_cvae.inference import load_predictor
from keras_cvae.progress import Progress


def predict_files(
    model,
    first_frame,
    poses,
    out,
    frame_size=None,
    temperature=None,
    seed=0,
    fps=24,
    zoom=1,
    side_by_side=False,
    smooth=False,
):
    """Predicts a video from image files and writes it.

    Args:
        model: path of a model in any format, see `inference.load_predictor`.
        first_frame: path of the given frame.
        poses: folder of pose images 0, 1, 2, ...; pose 0 belongs to the given frame.
        out: what to write: `x.gif`, `x.mp4`, or a folder of PNGs; see `video.write_video`.
        frame_size: (height, width) to predict at; `None` is that of the model's training, or of the
            image where that is not known. Exported graphs have one size alone.
        temperature: float >= 0, scale of the prior noise, or `None` for the model's own.
        seed: int, of the prior noise.
        fps: frames per second.
        zoom: int >= 1, factor of enlargement.
        side_by_side: bool, whether to show the poses beside the prediction, with captions.
        smooth: bool, whether to enlarge smoothly (cubic) instead of showing the true pixels.

    Returns:
        str, what was written, with the codec.

    Raises:
        ValueError: for paths, images or values that will not do.
    """
    video.check_output(out, fps)  # not only when all frames are predicted
    if zoom < 1:
        raise ValueError(f"zoom must be at least 1; got {zoom}.")
    if frame_size and min(frame_size) < 1:
        raise ValueError(f"The frame size must be positive; got {frame_size[0]} x {frame_size[1]}.")
    predictor = load_predictor(model)
    image = read_image(first_frame)
    size = tuple(frame_size or predictor.frame_size or image.shape[:2])
    image = resize_image(image, size)
    pose_images, _ = read_images(numbered_images(poses), size, label="reading poses")
    frames = [image.astype("float32") / 255]
    with Progress(len(pose_images) - 1, "predicting") as progress:
        for frame in predictor.stream(image, pose_images, temperature, seed):
            frames.append(frame)
            progress.update()
    frames = np.stack(frames)
    interpolation = "cubic" if smooth else "nearest"
    if side_by_side:
        frames = video.side_by_side(
            None, frames, pose_images, zoom=zoom, interpolation=interpolation
        )
    elif zoom > 1:
        frames = video.enlarge(frames, zoom, interpolation)
    return video.write_video(out, frames, fps=fps)
