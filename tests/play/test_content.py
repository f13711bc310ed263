import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from play_checks import unpacked

from keras_cvae import runs
from keras_cvae.data.joints import read_joints
from keras_cvae.data.skeleton import draw_skeleton
from keras_cvae.data.synthetic import builtin_videos, write_dataset
from keras_cvae.errors import UserError
from keras_cvae.files import write_json
from keras_cvae.inference import Predictor, load_predictor
from keras_cvae.play import scenes
from keras_cvae.play.content import Content, latent_sentence
from keras_cvae.play.scenes import Scene, find_scene
from keras_cvae.poses.dancer import make_dancer, write_dancer

PRETRAINED = Path(__file__).parents[2] / "saved_models" / "builtin_dancer.onnx"
SIZE = (16, 24)


@pytest.fixture(scope="module")
def content():
    return Content(PRETRAINED, load_predictor(PRETRAINED))


@pytest.fixture(scope="module")
def values(content):
    text = json.dumps(content.values(dances=[0, 1]), allow_nan=False)
    assert len(text) < 2**21
    return json.loads(text)


@pytest.fixture(scope="module")
def val():
    (video,) = builtin_videos("val")
    return video


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with joints, of a dancer who is not known to be the built-in one."""
    folder = tmp_path_factory.mktemp("data") / "dance"
    return write_dataset(folder, SIZE, frames={"train": [40], "val": [12], "test": [2]})


def a_run(folder, data, config_data=None):
    """A run folder as training leaves it, without a model."""
    joints = read_joints(data / "joints.npz")
    own = joints.joints[joints.split == "train"]
    config = {"data": str(config_data or data), "schedule_epochs": 1, "frame_size": list(SIZE)}
    runs.create_run(folder, config)
    images = np.random.default_rng(0).integers(0, 255, (len(own), *SIZE, 3), np.uint8)
    write_dancer(folder / runs.DANCER, make_dancer([images], own, 24))
    return folder


def test_it_describes_the_model(values):
    assert values["version"] == 1 and values["name"] == "builtin_dancer"
    assert values["frame_size"] == [32, 64] and values["latent_shape"] == [4, 8, 8]
    assert values["prior"] == "standard" and values["temperature"] == 0 and values["fps"] == 24
    assert "0 of 8 latent channels" in values["latent"]
    skeleton = values["skeleton"]
    assert len(skeleton["joints"]) == 19 and len(skeleton["limbs"]) == 19
    assert (skeleton["supersampling"], skeleton["line"]) == (4, 6)


def test_the_choreography_is_the_validation_video(values, val):
    choreography = values["choreography"]
    poses, joints, depth = (unpacked(choreography[key]) for key in ("poses", "joints", "depth"))
    np.testing.assert_array_equal(poses, val.poses)
    for t in range(0, 630, 90):
        drawn = draw_skeleton(joints[t], (32, 64), depth[t])
        assert np.abs(drawn.astype(int) - val.poses[t]).max() <= 2  # float32 joints round


def test_the_first_frames_are_those_of_the_video(values, val):
    starts = values["starts"]
    assert len(starts) == 8 and len({start["name"] for start in starts}) == 8
    numbers = [int(start["name"].split()[1]) - 1 for start in starts]
    assert numbers[0] == 0 and numbers[-1] == 629
    joints = unpacked(values["choreography"]["joints"])
    for t, start in zip(numbers, starts, strict=True):
        np.testing.assert_array_equal(unpacked(start["image"]), val.frames[t])
        np.testing.assert_array_equal(unpacked(start["joints"]), joints[t])
        assert unpacked(start["depth"]).shape == (19,)


def test_dances_follow_their_seed_and_are_not_the_data(values, content):
    first, second = (unpacked(dance["joints"]) for dance in values["dances"])
    choreography = unpacked(values["choreography"]["joints"])
    assert first.shape == second.shape == choreography.shape
    assert np.abs(first - second).max() > 5 and np.abs(first - choreography).max() > 5
    assert content.dance(1) == values["dances"][1]
    with pytest.raises(UserError, match="seed"):
        content.dance(-1)


def test_the_ball_is_in_its_first_frames():
    plain, ball = (find_scene("x.onnx", kind, (32, 64)) for kind in ("builtin", "builtin-ball"))
    np.testing.assert_array_equal(plain.poses, ball.poses)
    assert all((a.image != b.image).any() for a, b in zip(plain.starts, ball.starts, strict=True))


def test_large_frames_have_fewer_poses():
    scene = find_scene("x.onnx", "builtin", (256, 256))
    assert scene.poses.nbytes <= scenes.MAX_IMAGES
    assert len(scene.poses) == len(scene.choreography.joints) < 630
    assert sum(start.image.nbytes for start in scene.starts) <= scenes.MAX_STARTS


def test_a_run_whose_data_are_there_shows_their_validation(tmp_path, data):
    scene = find_scene(a_run(tmp_path / "run", data), "skeleton", SIZE)
    joints = read_joints(data / "joints.npz").of_split("val")[""]
    assert scene.choreography.joints.shape == (12, 19, 2) and scene.poses.shape == (12, *SIZE, 3)
    np.testing.assert_array_equal(scene.choreography.joints[5], joints[5])
    assert scene.choreography.depth is None and scene.starts[0].depth is None
    np.testing.assert_array_equal(scene.starts[0].joints, joints[0])
    again = find_scene(tmp_path / "run" / "best.keras", "skeleton", SIZE)
    np.testing.assert_array_equal(again.poses, scene.poses)
    with pytest.raises(UserError, match="another shape"):
        find_scene(tmp_path / "run", "skeleton", (32, 32))


@pytest.mark.parametrize("harm", ["absent", "no joints", "changed"])
def test_a_run_whose_data_are_gone_shows_frames_of_its_training(tmp_path, data, harm):
    copy = shutil.copytree(data, tmp_path / "data")
    if harm == "absent":
        shutil.rmtree(copy)
    elif harm == "no joints":
        (copy / "joints.npz").unlink()
    else:
        (copy / "val" / "val_img" / "11.png").unlink()
        (copy / "val" / "val_label" / "11.png").unlink()
    scene = find_scene(a_run(tmp_path / "run", data, copy), "skeleton", SIZE)
    assert scene.choreography is None and scene.poses is None
    assert 1 < len(scene.starts) <= 8 and scene.starts[0].image.shape == (*SIZE, 3)
    assert np.isfinite(scene.starts[0].joints).all()


def test_the_values_of_another_person(tmp_path, data):
    run = a_run(tmp_path / "run.v2", data)
    predictor = Predictor(None, lambda size: (1, 2, 4), SIZE, 0.5, prior="pose", poses="skeleton")
    values = json.loads(json.dumps(Content(run, predictor).values([3]), allow_nan=False))
    assert (values["name"], values["prior"], values["temperature"]) == ("run.v2", "pose", 0.5)
    assert values["choreography"]["depth"] is None and values["dances"][0]["depth"] is None
    assert unpacked(values["choreography"]["poses"]).shape == (12, *SIZE, 3)
    shutil.copy(run / runs.DANCER, tmp_path)
    (tmp_path / "config.json").write_text("{}")  # of something else
    alone = Content(tmp_path / "x.weights.h5", predictor).values()
    assert alone["name"] == "x" and alone["choreography"] is None and len(alone["starts"]) > 1


def test_an_export_finds_the_person_next_to_it(tmp_path, data):
    run = a_run(tmp_path / "run", data)
    shutil.copy(run / runs.DANCER, tmp_path)
    scene = find_scene(tmp_path / "dancer.onnx", "skeleton", (32, 48))
    assert scene.choreography is None and scene.starts[0].image.shape == (32, 48, 3)
    (tmp_path / runs.DANCER).unlink()
    with pytest.raises(
        UserError, match=r"put the dancer\.npz of its run next to it; .* has joints"
    ):
        find_scene(tmp_path / "dancer.onnx", "skeleton", SIZE)


def test_dances_are_fitted_to_the_person(tmp_path, data):
    scene = find_scene(a_run(tmp_path / "run", data), "skeleton", SIZE)
    dance = scene.dance(5, 50)
    assert dance.joints.shape == (50, 19, 2) and dance.depth is None
    assert (np.isfinite(dance.joints)).all()
    low, high = dance.joints.min(axis=(0, 1)), dance.joints.max(axis=(0, 1))
    assert (low > -5).all() and (high < np.array(SIZE[::-1]) + 5).all()


@pytest.mark.parametrize(
    ("fps", "frames"), [(24, 50), (12, 25), (30, 50), (23.976, 49), (1e9, 50), (0.1, 1)]
)
def test_dances_are_as_fast_at_any_rate(fps, frames):
    """Frame n is where the dancer is at the time n / fps."""
    scene = Scene((32, 64), fps, [], None, None, None)
    given, found = scene._replace(fps=24).dance(3, 50), scene.dance(3, 50)
    times = np.arange(frames) * 24 / fps
    for ours, theirs in zip(found, given, strict=True):
        assert len(ours) == frames
        for joint in np.ndindex(theirs.shape[1:]):
            expected = np.interp(times, np.arange(50), theirs[:, *joint])
            np.testing.assert_allclose(ours[:, *joint], expected, atol=1e-9)


def test_a_long_validation_video_is_shown_in_part(tmp_path, data, monkeypatch):
    monkeypatch.setattr(scenes, "DANCED", 8)
    scene = find_scene(a_run(tmp_path / "run", data), "skeleton", SIZE)
    assert len(scene.poses) == len(scene.choreography.joints) == 8
    assert [start.name.split()[1] for start in scene.starts] == [str(n) for n in range(1, 9)]


@pytest.mark.parametrize("poses", [None, "another"])
def test_other_poses_are_refused(poses):
    with pytest.raises(UserError, match=r"draw_skeleton drew.* that scripts/train\.py trained on"):
        find_scene("x.onnx", poses, (32, 64))


def test_the_sentence_needs_finite_numbers(tmp_path):
    known = {"val_active_maps": 3, "val_latent_maps": 8, "val_posterior_psnr": 31.0}
    assert latent_sentence(known) is None
    assert latent_sentence({**known, "val_psnr": float("nan")}) is None
    assert latent_sentence({**known, "val_psnr": True}) is None
    assert "would be 31.0 dB instead of 29.5 dB." in latent_sentence({**known, "val_psnr": 29.5})
    assert "would be the same, 31.0 dB." in latent_sentence({**known, "val_psnr": 30.99})


def test_the_results_of_a_run_give_the_sentence(tmp_path, content):
    runs.create_run(tmp_path / "run", {"schedule_epochs": 1})
    numbers = {"val_active_maps": 2, "val_latent_maps": 8, "val_posterior_psnr": 31, "val_psnr": 30}
    predictor = load_predictor(PRETRAINED)
    predictor.manifest = {}
    of_run = Content(tmp_path / "run", predictor)
    assert of_run.values()["latent"] is None
    write_json(tmp_path / "run" / runs.METRICS, numbers)
    assert "2 of 8" in of_run.values()["latent"]
    (tmp_path / "run" / runs.METRICS).write_text("{")
    assert of_run.values()["latent"] is None
