"""scripts/predict.py on a finished run."""

import shutil
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from script_checks import SIZE, one_error, run_script

import keras_cvae
from keras_cvae.data import load_videos


@pytest.fixture(scope="module")
def inputs(data):
    """The given frame and the five poses of the first test video."""
    test = data / "test"
    return ["--first-frame", test / "test_img/0/0.png", "--poses", test / "test_label/0"]


def test_png_frames(run, data, inputs, tmp_path):
    out = tmp_path / "new" / "frames"
    done = run_script("predict", run, *inputs, "--out", out)
    assert done.code == 0, done.err
    assert f"{out}: PNG frames, 5 files" in done.out
    assert sorted(path.name for path in out.iterdir()) == [f"{t}.png" for t in range(5)]
    written = np.stack([cv2.imread(str(out / f"{t}.png"))[..., ::-1] for t in range(5)])
    video = load_videos(data, "test", SIZE)[0]
    np.testing.assert_array_equal(written[0], video.frames[0])  # the given frame
    model = keras_cvae.load_model(run / "best.keras")
    expected = model.predict_video(video.frames[0], video.poses, seed=0)
    np.testing.assert_allclose(written, 255 * expected, atol=0.51)


def test_gif(run, inputs, tmp_path):
    out = tmp_path / "x.gif"
    done = run_script("predict", run / "best.keras", *inputs, "--out", out, "--side-by-side")
    assert done.code == 0, done.err
    assert "GIF, 5 frames" in done.out
    ok, animation = cv2.imreadanimation(str(out))
    assert ok and len(animation.frames) == 5
    assert animation.frames[0].shape[1] >= 2 * SIZE[1]


def test_mp4(run, inputs, tmp_path):
    out = tmp_path / "x.mp4"
    done = run_script("predict", run, *inputs, "--out", out, "--zoom", 4, "--fps", 10)
    assert done.code == 0, done.err
    assert ("H.264" if find_spec("av") else "VP9") in done.out  # the codec is printed
    capture, frames = cv2.VideoCapture(str(out)), []
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    while (read := capture.read())[0]:
        frames.append(read[1])
    assert len(frames) == 5 and frames[0].shape == (64, 64, 3)


def test_an_image_of_another_size_takes_the_runs(run, inputs, tmp_path):
    large, poses, out = tmp_path / "large.png", tmp_path / "poses", tmp_path / "frames"
    poses.mkdir()
    for source, target in [(inputs[1], large)] + [(p, poses / p.name) for p in inputs[3].iterdir()]:
        image = cv2.imread(str(source))
        cv2.imwrite(str(target), cv2.resize(image, (80, 48), interpolation=cv2.INTER_NEAREST))
    done = run_script("predict", run, "--first-frame", large, "--poses", poses, "--out", out)
    assert done.code == 0, done.err
    assert cv2.imread(str(out / "4.png")).shape == (*SIZE, 3)
    mixed = ["--first-frame", large, *inputs[2:], "--out", tmp_path / "x.gif"]
    line = one_error(run_script("predict", run, *mixed))
    assert f"Frame and pose differ in size: {large} is 48 x 80, " in line


def test_poses_count_from_any_number_and_have_names(run, inputs, tmp_path):
    poses = tmp_path / "poses"
    poses.mkdir()
    for pose in inputs[3].iterdir():
        shutil.copy(pose, poses / f"frame_{int(pose.stem) + 1:06}.png")
    for given, out in ((inputs[3], "a"), (poses, "b")):
        arguments = [*inputs[:2], "--poses", given, "--out", tmp_path / out]
        assert run_script("predict", run, *arguments).code == 0
    for t in range(5):
        a, b = ((tmp_path / out / f"{t}.png").read_bytes() for out in "ab")
        assert a == b


def test_one_pose_and_a_video_file_are_one_clear_error(run, inputs, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(inputs[3] / "0.png", tmp_path / "one" / "0.png")
    (tmp_path / "poses.mp4").write_bytes(b"video")
    for poses, message in (("one", "nothing to predict"), ("poses.mp4", "ffmpeg -i")):
        arguments = [*inputs[:2], "--poses", tmp_path / poses, "--out", tmp_path / "x.gif"]
        assert message in one_error(run_script("predict", run, *arguments))
    missing = [*inputs[:2], "--poses", tmp_path / "none", "--out", tmp_path / "x.gif"]
    assert "none" in one_error(run_script("predict", tmp_path / "no_model.keras", *missing))


def test_a_gap_in_the_poses(run, data, inputs, tmp_path):
    poses = shutil.copytree(data / "test/test_label/0", tmp_path / "poses")
    (poses / "2.png").unlink()
    out = tmp_path / "out.gif"
    line = one_error(run_script("predict", run, *inputs[:2], "--poses", poses, "--out", out))
    assert "no image 2" in line and not out.exists()


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--poses", "absent", "absent"),
        ("--first-frame", "absent.png", "absent.png"),
        ("--temperature", "-1", "temperature"),
        ("--fps", "0", "fps"),
        ("--zoom", "0", "zoom"),
        ("--out", "x.avi", ".avi"),
        ("--frame-size", ("15", "16"), "multiples of 8"),
    ],
)
def test_wrong_values_are_one_line_and_leave_nothing(
    run, inputs, tmp_path, monkeypatch, flag, value, message
):
    monkeypatch.chdir(tmp_path)
    given = [flag, *([value] if isinstance(value, str) else value)]
    line = one_error(run_script("predict", run, *inputs, "--out", "out.gif", *given))
    assert message in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.gif", "frames"])
def test_what_exists_is_left_alone(run, inputs, tmp_path, name):
    out = tmp_path / name
    out.write_text("mine")
    line = one_error(run_script("predict", run, *inputs, "--out", out))
    assert str(out) in line and "exists" in line
    assert "train.py --resume" not in line  # this is no run
    assert out.read_text() == "mine"


def test_a_missing_model_is_one_line(inputs, tmp_path):
    model, out = tmp_path / "model.keras", tmp_path / "x.gif"
    assert str(model) in one_error(run_script("predict", model, *inputs, "--out", out))
    assert not out.exists()
