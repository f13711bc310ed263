"""A `.keras` file is the whole model, and the same on every backend."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from checks import (
    BACKENDS,
    TINIEST,
    block_other_backends,
    call_on_each,
    forget_poses,
    make_clip,
    relative,
)

import keras_cvae
from keras_cvae import CVAE, runs
from keras_cvae.errors import UserError
from keras_cvae.inference import load_predictor
from keras_cvae.inference.manifest import digest, write_manifest
from keras_cvae.model.saving import portable


def trained_model():
    model = CVAE("lab", **TINIEST, temperature=0.5, seed=3, poses="skeleton")
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    model.beta.assign(0.25)
    model.teacher_forcing_ratio.assign(0.5)
    model.train_on_batch(make_clip(frames=3))
    return model


@pytest.fixture(scope="module")
def model():
    return trained_model()


def test_everything_is_there_again(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras_cvae.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    for name in ("variables", "non_trainable_variables"):
        for mine, other in zip(getattr(model, name), getattr(again, name), strict=True):
            assert np.array_equal(*(keras.ops.convert_to_numpy(v) for v in (mine, other)))
    for mine, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        assert np.array_equal(*(keras.ops.convert_to_numpy(v) for v in (mine, other)))
    assert keras.ops.convert_to_numpy(again.rng.state).tolist() == (
        keras.ops.convert_to_numpy(model.rng.state).tolist()
    )
    assert float(again.beta) == 0.25
    assert float(again.teacher_forcing_ratio) == 0.5
    assert again.temperature == 0.5
    assert again.poses == "skeleton"


@pytest.fixture
def earlier_model(monkeypatch):
    """A model whose files are as those of versions that kept no record of the pose images."""
    forget_poses(monkeypatch)
    return CVAE("lab", **TINIEST)


def test_what_drew_the_poses_is_known_of_earlier_runs(earlier_model, tmp_path):
    """Their models do not say; their folders do."""
    model = earlier_model
    assert CVAE.from_config(model.get_config()).poses is None
    for number, (data, dancer, poses) in enumerate(
        (
            ("builtin", False, "builtin"),
            ("builtin-ball", False, "builtin-ball"),
            ("skeleton", False, None),  # a folder of that name
            ("my_data", True, "skeleton"),
            (None, False, None),
        )
    ):
        run = tmp_path / str(number)
        runs.create_run(run, {"data": data, "schedule_epochs": 1, "frame_size": [8, 16]})
        for name in (runs.BEST, runs.LAST):
            model.save(run / name)
        if dancer:
            (run / runs.DANCER).touch()
        assert {load_predictor(run).poses, keras_cvae.load_model(run / runs.LAST).poses} == {poses}
    (run / runs.CONFIG).write_text("{}")
    assert keras_cvae.load_model(run / runs.BEST).poses is None
    with pytest.raises(UserError, match="Unknown poses 'drawn'; expected one of builtin, builtin-"):
        CVAE("lab", **TINIEST, poses="drawn")


def test_a_model_that_says_its_poses_are_unknown_is_believed(tmp_path):
    """Its data had joints once, of which the run still has the dancer."""
    run = tmp_path / "run"
    runs.create_run(run, {"data": "my_data", "schedule_epochs": 1, "frame_size": [8, 16]})
    (run / runs.DANCER).touch()
    CVAE("lab", **TINIEST).save(run / runs.BEST)
    assert keras_cvae.load_model(run).poses is None


@pytest.mark.parametrize(("name", "format"), [("x.keras", "keras"), ("x.weights.h5", "weights")])
def test_what_drew_the_poses_is_known_of_earlier_exports(earlier_model, tmp_path, name, format):
    """Their manifests say it."""
    path, model = tmp_path / name, earlier_model
    model.save(path) if format == "keras" else model.save_weights(path)
    manifest = {"format": format, "frame_size": [8, 16], "latent_shape": [1, 2, 4]}
    manifest |= {"temperature": 0.0, "model": model.get_config(), "poses": "builtin"}
    write_manifest(path, manifest | {"sha256": digest(path)})
    assert load_predictor(path).poses == "builtin"
    if format == "keras":
        assert keras_cvae.load_model(path).poses == "builtin"
        write_manifest(path, manifest | {"sha256": "0" * 64})  # of another
        assert keras_cvae.load_model(path).poses is None


def test_training_goes_on_as_if_it_had_not_been_saved(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras_cvae.load_model(tmp_path / "model.keras")
    batch = make_clip(frames=3, seed=1)
    for _ in range(3):  # the noise and the coin come from the random state
        losses = [float(m.train_on_batch(batch, return_dict=True)["loss"]) for m in (model, again)]
        assert losses[0] == losses[1]


def test_weights_alone(model, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = CVAE("lab", **TINIEST, seed=9)
    other.load_weights(tmp_path / "model.weights.h5")
    for mine, theirs in zip(model.weights, other.weights, strict=True):
        assert np.array_equal(*(keras.ops.convert_to_numpy(v) for v in (mine, theirs)))


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(model, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_bytes(b"the old file")

    def fails(self, store):
        raise OSError("disk full")

    monkeypatch.setattr(CVAE, "save_own_variables", fails)
    with pytest.raises(OSError, match="disk full"):
        model.save(path)
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_torch_optimisers_are_written_as_the_public_ones():
    config = {
        "optimizer": {
            "module": "keras.src.backend.torch.optimizers.torch_adam",
            "class_name": "Adam",
            "registered_name": "Adam",
        },
        "others": [{"module": "keras.losses"}],
    }
    result = portable(config)
    assert result["optimizer"]["module"] == "keras.optimizers"
    assert result["optimizer"]["registered_name"] is None
    assert result["others"] == [{"module": "keras.losses"}]
    assert config["optimizer"]["module"].endswith("torch_adam")


def test_what_cannot_be_loaded_is_one_clear_message(tmp_path):
    with pytest.raises(ValueError, match="no model at"):
        keras_cvae.load_model(tmp_path / "absent.keras")
    with pytest.raises(ValueError, match=r"best\.keras"):
        keras_cvae.load_model(tmp_path)
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="damaged or cut"):
        keras_cvae.load_model(tmp_path / "broken.keras")
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential"):
        keras_cvae.load_model(tmp_path / "other.keras")


# Noise in the batch and a certain coin: so a step is the same on every backend.
STEPS = [make_clip(frames=3, seed=seed, eps_maps=TINIEST["latent_maps"]) for seed in (5, 6)]


def _save(backend, folder):
    """Saves a trained model, and what it predicts and how its training goes on."""
    block_other_backends(backend)
    model = trained_model()
    model.save(f"{folder}/{backend}.keras")
    moments = _moments(model)
    np.savez(
        f"{folder}/{backend}.npz", moments=moments, video=_predict(model), losses=_go_on(model)
    )


def _moments(model):
    """The optimiser's state in one array."""
    variables = [keras.ops.convert_to_numpy(v).ravel() for v in model.optimizer.variables]
    return np.concatenate(variables)


def _load_all(backend, folder):
    """Loads each saved model here and compares; of one of another backend the training goes on."""
    block_other_backends(backend)
    trained_on = BACKENDS[BACKENDS.index(backend) - 1]
    for saved in sorted(Path(folder).glob("*.keras")):
        model = keras_cvae.load_model(saved)
        expected = np.load(saved.with_suffix(".npz"))
        assert np.abs(_predict(model) - expected["video"]).max() < 1e-5, saved.stem
        assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 1, saved.stem
        np.testing.assert_allclose(_moments(model), expected["moments"], rtol=1e-6)
        if saved.stem == trained_on:
            assert relative(_go_on(model), expected["losses"]) < 1e-4, saved.stem
        for other in set(BACKENDS) - {backend}:
            assert sys.modules[other] is None, f"{other} was imported"


def _predict(model):
    images = make_clip(frames=4)
    return model.predict_video(images["frames"][:, 0], images["poses"], temperature=1.0, seed=1)


def _go_on(model):
    """The losses of further steps: without the optimiser's state the second would differ."""
    model.teacher_forcing_ratio.assign(0.0)
    losses = []
    for batch in STEPS:
        model.reset_metrics()
        losses.append(float(model.train_on_batch(batch, return_dict=True)["loss"]))
    return losses


def test_the_optimisers_state_matters_to_going_on(model, tmp_path):
    model.save(tmp_path / "model.keras")
    losses = []
    for fresh in (False, True):
        again = keras_cvae.load_model(tmp_path / "model.keras")
        if fresh:
            again.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
        losses.append(_go_on(again))
    assert losses[0][0] == losses[1][0]
    assert relative(losses[0][1], losses[1][1]) > 1e-4


@pytest.mark.slow
def test_nine_pairs_of_backends(tmp_path):
    for function in (_save, _load_all):
        for backend, result in call_on_each(function, tmp_path, fresh=True).items():
            assert not isinstance(result, Exception), f"{function.__name__} {backend}: {result}"


def test_a_file_cannot_bring_code(tmp_path):
    """Loading is in Keras' safe mode, whatever the file says."""
    unsafe = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    unsafe.save(tmp_path / "unsafe.keras")
    with pytest.raises(ValueError, match="holds a Sequential, not a CVAE"):
        keras_cvae.load_model(tmp_path / "unsafe.keras")
