import dataclasses

import keras
import numpy as np
import pytest
from bodies import dance, taller
from checks import TINIEST

from keras_cvae import CVAE, load_model, runs
from keras_cvae.data.decoding import read_image
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.data.synthetic import render_video
from keras_cvae.errors import UserError
from keras_cvae.inference.drive import drive, find_dancer
from keras_cvae.inference.driver import read_driver
from keras_cvae.poses.body import full_lengths
from keras_cvae.poses.dancer import make_dancer, write_dancer
from keras_cvae.training.resolve import resolve
from keras_cvae.video import write_video

SIZE = (32, 64)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of the built-in dancer with an untrained model."""
    folder = tmp_path_factory.mktemp("drive") / "run"
    config = dataclasses.asdict(resolve({"epochs": 1, "frame_size": SIZE}))
    runs.create_run(folder, {**config, "environment": {"backend": "torch"}})
    keras.utils.set_random_seed(0)
    CVAE("multiscale", **{**TINIEST, "frame_size": SIZE}).save(folder / runs.BEST)
    frames = render_video(5, 60, SIZE).frames
    write_dancer(folder / runs.DANCER, make_dancer([frames], dance(60, SIZE), 24))
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Keypoints of a driver with long legs in a larger image, and its video as images."""
    folder = tmp_path_factory.mktemp("other")
    joints = taller(dance(40, (96, 192), seed=6), legs=1.3)
    np.savez(folder / "other.npz", joints=joints, frame_size=(96, 192), fps=12.0)
    write_video(folder / "video", render_video(6, 40, (96, 192)).frames)
    return folder


def test_another_body_drives_limb_by_limb(run, other, tmp_path):
    driver = read_driver(keypoints=other / "other.npz")
    assert (driver.fps, driver.image_size, len(driver.joints)) == (12, (96, 192), 40)
    driven = drive(run, tmp_path / "x", lambda: driver)
    frames = [read_image(tmp_path / "x" / f"{n}.png") for n in range(40)]
    assert frames[0].shape == (*SIZE, 3)
    dancer = find_dancer(run)
    assert any(np.array_equal(frames[0], each) for each in dancer.frames)
    assert driven.report[0] == "poses: 40 frames at 12 fps, normalised: limbs"
    assert driven.written == "PNG frames, 40 files"


def test_the_prediction_is_that_of_the_normalised_poses(run, other, tmp_path):
    from keras_cvae.inference import load_predictor
    from keras_cvae.poses.normalise import normalise

    driver, dancer = read_driver(keypoints=other / "other.npz"), find_dancer(run)
    joints = normalise(driver.joints, dancer.body)
    assert full_lengths(joints) == pytest.approx(full_lengths(dance(60, SIZE)), rel=0.05)
    poses = np.stack([draw_skeleton(each, SIZE) for each in joints])
    first = dancer.frames[dancer.nearest(joints[0])]
    expected = load_predictor(run).predict_video(first, poses, seed=0)
    drive(run, tmp_path / "x", lambda: driver)
    last = read_image(tmp_path / "x" / "39.png") / 255
    assert np.abs(last - expected[39]).max() < 0.01


def test_poses_that_training_never_saw_are_counted_and_named(run, tmp_path):
    joints = dance(40, SIZE)
    joints[10:20, 9] += [0, 30]  # the left wrist, far below
    np.savez(tmp_path / "x.npz", joints=joints, frame_size=SIZE)
    driver = read_driver(keypoints=tmp_path / "x.npz")
    _, outside, limbs = drive(run, tmp_path / "a", lambda: driver, method="none").report
    count = int(outside.split()[0])
    assert 8 <= count <= 14 and "left_wrist" in outside and "of 40 poses" in outside
    assert limbs.endswith("of the limbs are shorter or longer than training saw them")


def test_only_the_longest_part_drives(run, tmp_path):
    joints = dance(80, SIZE)
    joints[20:40] = np.nan
    np.savez(tmp_path / "x.npz", joints=joints, frame_size=SIZE)
    driver = read_driver(keypoints=tmp_path / "x.npz")
    assert (driver.first, len(driver.joints), driver.total) == (40, 40, 80)
    assert "frames 40 to 79 of 80" in drive(run, tmp_path / "a", lambda: driver).report[1]


def test_side_by_side_shows_the_driver_and_its_skeleton(run, other, tmp_path):
    driver = read_driver(other / "video", other / "other.npz", fps=12, limit=20)
    drive(run, tmp_path / "x", lambda: driver, side_by_side=True, zoom=2)
    image = read_image(tmp_path / "x" / "10.png")
    third = 2 * SIZE[1] + 2
    assert image.shape[1] == 3 * third - 2 and image.shape[0] > 2 * SIZE[0]
    strip = image.shape[0] - 2 * SIZE[0]
    shown = image[strip:, : third - 2].astype(int)
    filmed = read_image(other / "video" / "10.png")[::3][:, ::3]  # of 96 x 192: a third in size
    assert np.abs(shown[::2, ::2][:32, :64] - filmed).mean() < 25


def test_keypoints_are_taken_at_a_rate(other):
    half = read_driver(keypoints=other / "other.npz", fps=6)
    assert (half.fps, len(half.joints)) == (6, 20)
    joints = np.load(other / "other.npz")["joints"]
    assert half.joints[7] == pytest.approx(joints[14], abs=1)
    with pytest.raises(UserError, match="fps=24 would repeat frames: .* has 12"):
        read_driver(keypoints=other / "other.npz", fps=24)


@pytest.mark.parametrize(
    "wrong", [{"start": -1}, {"start": np.nan}, {"end": np.inf}, {"limit": -1}, {"fps": 0}]
)
def test_a_wrong_part_is_an_error(other, wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=f"{name}="):
        read_driver(keypoints=other / "other.npz", **wrong)


def test_a_short_driver_drives(run, other, tmp_path):
    driver = read_driver(keypoints=other / "other.npz", limit=3)
    assert drive(run, tmp_path / "x", lambda: driver).written == "PNG frames, 3 files"


def test_nobody_is_searched_before_all_else_is_right(run, tmp_path):
    def never():
        raise AssertionError

    for given, message in (
        ({"out": tmp_path / "x.avi"}, "ending"),
        ({"zoom": 0}, "zoom"),
        ({"model": tmp_path / "nothing"}, "nothing"),
        ({"first_frame": tmp_path / "no.png"}, "no.png"),
        ({"method": "all"}, "limbs, global, none"),
    ):
        with pytest.raises(UserError, match=message):
            drive(**{"model": run, "out": tmp_path / "x", "read": never, **given})


def test_an_export_of_another_size_takes_the_person_along(run, other, tmp_path):
    pytest.importorskip("onnxruntime")
    from keras_cvae.exporting.exporter import export

    export(load_model(run), run / "large.onnx", "onnx", (64, 128))
    driver = read_driver(keypoints=other / "other.npz", limit=5)
    drive(run / "large.onnx", tmp_path / "x", lambda: driver)
    assert read_image(tmp_path / "x" / "4.png").shape == (64, 128, 3)


def test_another_rate_than_that_of_training_is_said(run, other, tmp_path):
    driver = read_driver(keypoints=other / "other.npz")
    *_, last = drive(run, tmp_path / "x", lambda: driver).report
    assert last.startswith("the driver has 12 frames per second and training had 24")


def test_a_part_of_keypoints(other):
    driver = read_driver(keypoints=other / "other.npz", start=1, end=3, limit=20)
    assert len(driver.joints) == 20
    with pytest.raises(UserError, match="no frame between 9 s and its end: it has 40"):
        read_driver(keypoints=other / "other.npz", start=9)


def test_a_model_without_its_person_needs_a_first_frame(run, other, tmp_path):
    driver = read_driver(keypoints=other / "other.npz")
    model = tmp_path / "x.keras"
    model.write_bytes((run / runs.BEST).read_bytes())
    with pytest.raises(UserError, match="keeps nothing of the person .* first frame"):
        drive(model, tmp_path / "a", lambda: driver)
    write_video(tmp_path / "first", render_video(5, 1, SIZE).frames)
    first = tmp_path / "first" / "0.png"
    with pytest.raises(UserError, match="'global'"):
        drive(model, tmp_path / "a", lambda: driver, method="limbs", first_frame=first)
    driven = drive(model, tmp_path / "a", lambda: driver, method="none", first_frame=first)
    assert len(driven.report) == 1
    assert np.array_equal(read_image(tmp_path / "a" / "0.png"), read_image(first))


def test_nothing_to_drive_with_is_an_error(run, other, tmp_path):
    with pytest.raises(UserError, match="Nothing drives"):
        read_driver()
    driver = read_driver(keypoints=other / "other.npz")
    with pytest.raises(UserError, match="limbs, global, none"):
        drive(run, tmp_path / "a", lambda: driver, method="all")
    with pytest.raises(UserError, match="needs the size of the driver's image"):
        drive(run, tmp_path / "a", lambda: driver._replace(image_size=None), method="none")
    assert not list(tmp_path.iterdir())
