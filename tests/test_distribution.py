"""Two processes or devices train as one does, and fail together.

They are on the CPU, which two can share, also where there is a GPU.

Run by torchrun, this file is what the processes do.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from checks import TINIEST, call, environment, run_command, to_numpy

import keras_cvae
from keras_cvae import CVAE, Clips, distribution
from keras_cvae.callbacks import ValidationPSNR
from keras_cvae.data.shared_videos import share_videos
from keras_cvae.errors import UserError

VARIANTS = ("multiscale", "lab", "accumulated")
EPOCHS = 3


def some_clips(seed=0, batch_size=4):
    frames, poses = np.random.default_rng(seed).integers(0, 256, (2, 32, 16, 16, 3), np.uint8)
    return Clips((frames, poses), clip_length=4, batch_size=batch_size, seed=1)


def new_model(variant, seed=0):
    keras.utils.set_random_seed(seed)
    options = {"rematerialise": True} if variant == "accumulated" else {}
    model = CVAE("lab" if variant == "lab" else "multiscale", **TINIEST, seed=seed, **options)
    if variant == "lab":  # Adam makes its small gradients large, and their rounding too
        optimizer = keras.optimizers.SGD(0.1, global_clipnorm=0.1)
    elif variant == "accumulated":
        optimizer = keras.optimizers.AdamW(
            1e-2, clipnorm=0.01, gradient_accumulation_steps=2, use_ema=True
        )
    else:
        optimizer = keras.optimizers.Adam(1e-2, global_clipnorm=0.1)
    model.compile(optimizer)
    model.teacher_forcing_ratio.assign(0.5)
    return model


def trained(variant, seed=0):
    """All variables after some steps, flat, and the losses."""
    model = new_model(variant, seed)
    losses = model.fit(some_clips(), epochs=EPOCHS, shuffle=False, verbose=0).history["loss"]
    variables = [*model.variables, *model.optimizer.variables]
    return np.concatenate([to_numpy(each).astype("float64").ravel() for each in variables]), losses


# --- processes of PyTorch ----------------------------------------------------------------------


def work(folder):
    """What each of the processes does; it writes down what it saw."""
    from replay_stand_in import use_stand_in

    here, seen = distribution.start(), {}
    for variant in VARIANTS:
        # Other processes begin with other weights and random states, which are replaced.
        weights, losses = trained(variant, seed=here.rank)
        np.save(folder / f"{variant}-{here.rank}.npy", weights)
        seen[variant] = losses
        with pytest.MonkeyPatch.context() as patch:
            graphs = use_stand_in(patch)
            weights, losses = trained(variant, seed=here.rank)
            np.save(folder / f"{variant}-replayed-{here.rank}.npy", weights)
            seen[f"{variant}-replayed"] = losses
            seen[f"{variant}-replays"] = sum(graph.replays for graph in graphs)
    seen["shared"] = distribution.share({"rank": here.rank})
    seen["largest"] = distribution.largest(here.rank)
    mapped = np.memmap(folder / "images.npy", np.uint8, "r", 128, (6, 8, 8, 3))
    held = [keras_cvae.Video("a", np.asarray(mapped)[2:], np.zeros((4, 8, 8, 3), np.uint8))]
    (video,) = share_videos(held if here.first else None)
    seen["video"] = [int(video.frames.sum()), video.frames.base is not None, len(video.poses)]
    try:
        with distribution.first_alone() as first:
            if first:
                raise ValueError("no luck")
    except ValueError as error:
        seen["failed"] = str(error)
    model = new_model("multiscale")
    try:
        model.fit({"frames": np.zeros((4, 4, 16, 16, 3), np.uint8)}, verbose=0)
    except UserError as error:
        seen["refused"] = str(error)
    # Each process has another validation video, and only the first one's counts.
    validation = ValidationPSNR(some_clips(seed=here.rank).videos)
    best = keras.callbacks.ModelCheckpoint(folder / "best.keras", monitor="val_psnr", mode="max")
    patience = keras.callbacks.EarlyStopping("val_psnr", mode="min", patience=1, verbose=0)
    history = model.fit(some_clips(), epochs=6, callbacks=[validation, best, patience]).history
    seen["val_psnr"] = history["val_psnr"]
    seen["loaded"] = keras_cvae.load_model(folder / "best.keras").count_params()
    (folder / f"seen-{here.rank}.json").write_text(json.dumps(seen))
    distribution.leave()


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The folder in which two processes wrote what they saw."""
    if keras.backend.backend() != "torch":
        pytest.skip("torchrun starts processes of PyTorch")
    folder = tmp_path_factory.mktemp("together")
    np.save(folder / "images.npy", np.arange(6 * 8 * 8 * 3, dtype=np.uint8).reshape(6, 8, 8, 3))
    done = run_command(
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2, __file__, folder],
        environment("torch", gpu=False),
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    (folder / "stdout").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def seen(together):
    return [json.loads((together / f"seen-{rank}.json").read_text()) for rank in (0, 1)]


def train_alone(folder):
    """What one process does."""
    for variant in VARIANTS:
        weights, losses = trained(variant)
        np.save(Path(folder) / f"{variant}-alone.npy", weights)
        (Path(folder) / f"{variant}-alone.json").write_text(json.dumps(losses))


@pytest.fixture(scope="module")
def alone(together):
    """The folder in which one process wrote its weights and losses too."""
    call(train_alone, together, backend="torch", fresh=True, gpu=False)
    return together


@pytest.mark.parametrize("replayed", ["", "-replayed"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_train_as_one(alone, seen, variant, replayed):
    """Also where a GPU replays the steps, for which a stand-in is here."""
    weights = np.load(alone / f"{variant}-alone.npy")
    losses = json.loads((alone / f"{variant}-alone.json").read_text())
    first, second = (np.load(alone / f"{variant}{replayed}-{rank}.npy") for rank in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, weights, atol=1e-5)
    np.testing.assert_allclose(seen[0][variant + replayed], losses, rtol=1e-5)
    assert seen[0][variant + replayed] == seen[1][variant + replayed]


def test_what_exchanges_nothing_is_replayed(together, seen):
    for each in seen:
        assert each["multiscale-replays"] >= 2 and each["accumulated-replays"] >= 2
        assert each["lab-replays"] == 0, "the statistics of its norm are exchanged in each step"
    (line,) = (x for x in (together / "stdout").read_text().splitlines() if "CUDA graph" in x)
    assert line.endswith("exchange values inside it, such as the statistics of a norm")


def test_what_the_first_says_counts(seen):
    for each in seen:
        assert each["shared"] == {"rank": 0}
        assert each["largest"] == 1
        assert each["val_psnr"] == seen[0]["val_psnr"]
        assert len(each["val_psnr"]) < 6, "stopped early"
        assert each["loaded"] > 0
    assert seen[0]["failed"] == "no luck"
    assert "process 0 of 2 failed: ValueError: no luck" in seen[1]["failed"]


def test_mapped_images_are_mapped_by_all(together, seen):
    images = np.load(together / "images.npy")
    for each in seen:
        assert each["video"] == [int(images[2:].sum()), True, 4]


def test_other_input_than_clips_is_refused(seen):
    for each in seen:
        assert "2 processes or devices share each batch" in each["refused"]
        assert each["refused"].endswith("Give keras_cvae.data.Clips.")


def test_the_first_alone_prints(together):
    assert (together / "stdout").read_text().count("Epoch 1/6") == 1


def test_processes_that_do_not_know_of_each_other_are_refused(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"2 processes were started.*distribution.start\(\)"):
        new_model("multiscale").fit(some_clips(), verbose=0)
    for backend in ("tensorflow", "jax"):
        with pytest.raises(UserError, match="PyTorch alone; the Keras backend is " + backend):
            distribution.check_launcher(backend)
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(UserError, match="expected 0 <= RANK < WORLD_SIZE"):
        distribution.launched()


def test_several_machines_of_tensorflow_are_refused(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(UserError, match="TF_CONFIG is set.*torchrun"):
        distribution.check_launcher("tensorflow")
    distribution.check_launcher("jax")


def test_parts_join_to_the_whole_batch():
    whole = some_clips()
    parts = [Clips(whole.videos, 4, 4, seed=1, part=(part, 2)) for part in (0, 1)]
    for each in (whole, *parts):
        each.epoch = 5
    for index in range(len(whole)):
        for key in ("frames", "poses"):
            joined = np.concatenate([part[index][0][key] for part in parts])
            np.testing.assert_array_equal(joined, whole[index][0][key])
    with pytest.raises(UserError, match="A batch of 4 clips cannot be divided equally among 3"):
        Clips(whole.videos, 4, 4, part=(0, 3))


# --- devices of JAX ----------------------------------------------------------------------------


def spread():
    """Trains on one device, then on two, and uses the model there."""
    import jax

    jax.config.update("jax_num_cpu_devices", 2)
    clips = some_clips()
    (video,) = clips.videos
    results = []
    for _ in range(2):
        weights, losses = trained("multiscale")
        model = new_model("multiscale")
        frames = model.predict_video(video.frames[0], video.poses[:6])
        latents = model.infer_latents(video.frames[:6], video.poses[:6])[0]
        results.append((weights, losses, frames, latents))
        distribution.start()
    one, two = results
    for left, right in zip(one, two, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)

    model = new_model("multiscale")
    assert len(model.trainable_variables[0].value.sharding.device_set) == 2
    before = [np.array(to_numpy(each)) for each in model.variables]
    arrays = {"frames": np.zeros((4, 4, 16, 16, 3), np.uint8)}
    arrays["poses"] = arrays["frames"]
    for refused in (
        lambda: model.fit(arrays, verbose=0),
        lambda: model.predict(arrays, verbose=0),
        lambda: model.fit(some_clips(batch_size=3), verbose=0),
        lambda: keras.Model.fit(model, some_clips(batch_size=3), verbose=0),  # past our check
    ):
        try:
            refused()
        except Exception as error:
            print(type(error).__name__)
        else:
            raise AssertionError("not refused")
        for variable, value in zip(model.variables, before, strict=True):
            np.testing.assert_array_equal(to_numpy(variable), value)


def test_two_devices_of_jax_train_as_one():
    pytest.importorskip("jax")
    printed = call(spread, backend="jax", fresh=True, gpu=False).split()
    assert printed[:3] == ["UserError"] * 3


if __name__ == "__main__":
    work(Path(sys.argv[1]))
