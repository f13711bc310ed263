"""Lets the person of a model move as someone else does."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from keras_cvae import runs, video
from keras_cvae.data.decoding import read_image, resize_image
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.errors import UserError, check_at_least_1, check_choice
from keras_cvae.images import check_finite, chosen_frame_size, to_uint8
from keras_cvae.inference.driver import Driver
from keras_cvae.inference.loading import load_predictor
from keras_cvae.poses.blazepose import BlazePose
from keras_cvae.poses.dancer import Dancer, read_dancer
from keras_cvae.poses.normalise import METHODS, Body, bones_outside, measure, normalise
from keras_cvae.poses.people import pick
from keras_cvae.progress import Progress

_NAMED = 4  # joints that a report names
_RATES = 1.5  # ratio of rates from which the report names them


class Driven(NamedTuple):
    """What `drive` did.

    Args:
        written: what was written, with the codec.
        report: lines for the user: which frames drive, and how well they fit.
    """

    written: str
    report: list[str]


def drive(
    model: str | os.PathLike,
    out: str | os.PathLike,
    read: Callable[[], Driver],
    method: str | None = None,
    first_frame: str | os.PathLike | None = None,
    pose_models: str | os.PathLike | None = None,
    temperature: float | None = None,
    seed: int | None = 0,
    zoom: int = 1,
    smooth: bool = False,
    side_by_side: bool = False,
    trust: bool = False,
) -> Driven:
    """Predicts the person of a model with the poses of a driver, and writes the video.

    A run that was trained on a data folder with `joints.npz` keeps what this needs of the person.
    The first frame is then the training frame that is nearest in pose.

    Args:
        model: a run folder, or a model in any format, see `inference.load_predictor`. A file next
            to a run's `dancer.npz` has its person.
        out: `x.gif`, `x.mp4`, or a folder of PNGs; see `video.write_video`.
        read: gives the driver, see `inference.driver.read_driver`. It is called when all else has
            been checked, as finding a person in a video takes long.
        method: how the driver's body is fitted, see `poses.normalise.normalise`; `None` is
            `"limbs"`, or `"global"` where the model keeps nothing of its person.
        first_frame: image file of the given frame. Needed where the model keeps nothing of its
            person: its pose is then estimated, unless `method` is `"none"`.
        pose_models: see `poses.model_files.model_files`.
        temperature: of the prior noise, at least 0; `None` takes the model's.
        seed: of the prior noise; `None` samples fresh noise.
        zoom: at least 1, the factor of enlargement.
        smooth: whether enlarging is smooth (cubic) instead of showing the true pixels.
        side_by_side: whether the driver and its skeleton are shown next to the prediction.
        trust: whether a format that can run code is loaded.

    Returns:
        `Driven`.

    Raises:
        UserError: for wrong paths or values, or a prediction that is not finite.
    """
    video.check_output(out)
    check_at_least_1(zoom=zoom)
    dancer = find_dancer(model)
    image = None if first_frame is None else read_image(first_frame)
    if dancer is None and image is None:
        raise UserError(
            f"{model} keeps nothing of the person that it was trained on. Give a first frame; or "
            f"put the {runs.DANCER} of its run next to it."
        )
    method = method or ("global" if dancer is None else "limbs")
    check_choice("normalisation", method, METHODS)
    predictor = load_predictor(model, trust)
    own_size = None if dancer is None else dancer.frames.shape[1:3]
    size = chosen_frame_size(
        predictor.frame_size, own_size, None if image is None else image.shape[:2]
    )
    if dancer is not None and own_size != size:
        dancer = dancer.resized(size)
    if dancer is not None or method == "none":
        body = None if dancer is None else dancer.body
    else:
        assert image is not None
        body = _estimated_body(image, size, method, first_frame, pose_models)

    driver = read()
    video.check_output(out, driver.fps)
    if method == "none":
        joints = _as_filmed(driver, size)
    else:
        assert body is not None
        joints = normalise(driver.joints, body, method)
    if image is not None:
        given = resize_image(image, size)
    else:
        assert dancer is not None
        given = dancer.frames[dancer.nearest(joints[0])]
    frames = [given]
    with Progress(len(joints) - 1, "predicting") as progress:
        poses = (draw_skeleton(each, size) for each in joints)
        for frame in predictor.stream(given, poses, temperature, seed):
            check_finite(frame, f"The prediction of {model}, frame {len(frames)},")
            frames.append(to_uint8(frame))
            progress.update()
    shown = video.enlarge(np.stack(frames), zoom, "cubic" if smooth else "nearest")
    if side_by_side:
        panels = {"driver": _panel(driver, shown.shape)} if driver.source else {}
        large = [draw_skeleton(each * zoom, shown.shape[1:3]) for each in joints]
        panels |= {"pose": np.stack(large), "prediction": shown}
        shown = video.in_a_row(panels, zoom=1)
    report = _report(driver, dancer, joints, method)
    return Driven(video.write_video(out, shown, fps=driver.fps), report)


def find_dancer(model: str | os.PathLike) -> Dancer | None:
    """What a model's run keeps of its person.

    Args:
        model: a run folder, or a file in one.

    Returns:
        `Dancer`, or `None` if there is none.

    Raises:
        UserError: if the file is damaged.
    """
    path = Path(model)
    place = (path if runs.is_run(path) else path.parent) / runs.DANCER
    return read_dancer(place) if place.is_file() else None


def _estimated_body(
    image: np.ndarray,
    size: tuple[int, int],
    method: str,
    first_frame: str | os.PathLike | None,
    pose_models: str | os.PathLike | None,
) -> Body:
    """The body of the person in the first frame, in pixels of the predicted frames."""
    if method == "limbs":
        raise UserError(
            "One frame does not tell how long the limbs are. Use the normalisation 'global', or a "
            "run on a data folder with joints.npz."
        )
    estimator = BlazePose(pose_models)
    people = estimator.detect(image)
    chosen = pick([each.centre for each in people], [each.size for each in people])
    found = None if chosen is None else estimator.landmarks(image, people[chosen])
    if found is None:
        raise UserError(
            f"No person was found in {first_frame}, so the driver cannot be fitted to it. Give an "
            "image of a person who is seen as a whole, or the normalisation 'none'."
        )
    scale = np.array(size[::-1]) / image.shape[1::-1]
    return measure(found[0].joints[None] * scale)


def _as_filmed(driver: Driver, size: tuple[int, int]) -> np.ndarray:
    """The driver's joints where they are in its image, which is fitted into the frame."""
    if driver.image_size is None:
        raise UserError(
            "The normalisation 'none' needs the size of the driver's image, which the keypoints do "
            "not tell. Give the video too."
        )
    height, width = driver.image_size
    scale = min(size[0] / height, size[1] / width)
    offset = (np.array(size[::-1]) - np.array([width, height]) * scale) / 2
    return driver.joints * scale + offset


def _report(driver: Driver, dancer: Dancer | None, joints: np.ndarray, method: str) -> list[str]:
    count = len(joints)
    lines = [f"poses: {count} frames at {driver.fps:g} fps, normalised: {method}"]
    if count < driver.total:
        lines.append(
            f"frames {driver.first} to {driver.first + count - 1} of {driver.total} are used: the "
            "longest part in which the person is seen without interruption"
        )
    if dancer is None:
        return lines
    outside = dancer.outside(joints)
    named = [f"{name} ({number})" for name, number in list(outside.joints.items())[:_NAMED]]
    more = len(outside.joints) - len(named)
    text = f": {', '.join(named)}{f' and {more} more' if more > 0 else ''}" if named else ""
    lines.append(
        f"{outside.frames} of {count} poses have a joint where training never saw it{text}"
    )
    share = bones_outside(joints, dancer.bones)
    if not np.isnan(share):
        lines.append(f"{share:.0%} of the limbs are shorter or longer than training saw them")
    if not 1 / _RATES < driver.fps / float(dancer.fps) < _RATES:
        lines.append(
            f"the driver has {driver.fps:g} frames per second and training had {dancer.fps:g}: the "
            "steps from frame to frame are of another size than those that it saw"
        )
    return lines


def _panel(driver: Driver, shape: Sequence[int]) -> np.ndarray:
    """The driver's video, fitted into frames of a shape (T, height, width, 3)."""
    panel = np.zeros(shape, np.uint8)
    height, width = shape[1:3]
    for place, image in zip(panel, driver.images(), strict=False):
        scale = min(height / image.shape[0], width / image.shape[1])
        down, across = (max(1, round(side * scale)) for side in image.shape[:2])
        small = cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)
        top, left = (height - down) // 2, (width - across) // 2
        place[top : top + down, left : left + across] = small
    return panel
