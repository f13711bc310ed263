"""Training steps that a GPU replays; without one, a stand-in for the CUDA graph does."""

import gc
import weakref

import keras
import numpy as np
import pytest
from checks import TINY

torch = pytest.importorskip("torch")
from replay_stand_in import use_stand_in  # noqa: E402

from keras_cvae import CVAE  # noqa: E402
from keras_cvae.backend import replay  # noqa: E402
from keras_cvae.backend.own_step import SHAPES_KEPT  # noqa: E402
from keras_cvae.backend.replayed_step import KINDS_KEPT, _update_is_fixed  # noqa: E402

pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras is not on torch")

STEPS = 10


@pytest.fixture
def graphs(monkeypatch):
    """The graphs that were made; a stand-in's where there is no GPU."""
    if not torch.cuda.is_available():
        return use_stand_in(monkeypatch)
    made = []

    class Counted(replay.CudaGraph):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.replays = 0
            made.append(self)

        def replay(self):
            self.replays += 1
            super().replay()

    monkeypatch.setattr(replay, "CudaGraph", Counted)
    return made


def make_model(architecture="multiscale", precision="float32", optimizer=None, **options):
    keras.utils.set_random_seed(1)
    model = CVAE(architecture, **TINY, seed=3, dtype=precision, **options)
    model.teacher_forcing_ratio.assign(0.5)
    optimizer = {"learning_rate": 1e-3, "global_clipnorm": 1.0, **(optimizer or {})}
    model.optimizer_options = optimizer
    return model


def losses(model, jit_compile, batches, **optimizer):
    model.compile(keras.optimizers.Adam(**model.optimizer_options), jit_compile=jit_compile)
    model.reset_metrics()
    found = []
    for batch in batches:
        logs = model.train_on_batch(batch, return_dict=True)
        found.append([float(logs[name]) for name in ("loss", "mse", "kl")])
    return np.array(found), [keras.ops.convert_to_numpy(w) for w in model.weights]


def batches(count=STEPS, size=2):
    rng = np.random.default_rng(0)
    shape = (size, 4, 8, 16, 3)
    return [
        {key: rng.integers(0, 256, shape, dtype=np.uint8) for key in ("frames", "poses")}
        for _ in range(count)
    ]


OPTIONS = [
    {},
    {"architecture": "lab"},
    {"architecture": "lab", "stop_feedback_gradient": False, "kl_reduction": "sum"},
    {"precision": "mixed_bfloat16"},
    {"rematerialise": True},
    {"prior": "learned"},
    {"optimizer": {"use_ema": True, "ema_momentum": 0.9}},
    {"optimizer": {"gradient_accumulation_steps": 2}},
    {"optimizer": {"use_ema": True, "ema_overwrite_frequency": 3}},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_ten_steps_are_those_that_run_operation_by_operation(graphs, options):
    expected, weights = losses(make_model(**options), False, batches())
    del graphs[:]
    found, replayed = losses(make_model(**options), "auto", batches())
    assert sum(graph.replays for graph in graphs) >= STEPS - 2  # two branches begin
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for ours, theirs in zip(replayed, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_what_changes_between_steps_is_seen(graphs):
    """Weights that are loaded, variables that callbacks set, a smaller batch, another optimiser."""
    other = make_model()
    for weight in other.weights:
        weight.assign(weight * 0.5)

    def changed_between(jit_compile):
        model = make_model()
        model.teacher_forcing_ratio.assign(0.0)
        found = [losses(model, jit_compile, batches(4))[0][:, 0]]
        model.set_weights(other.get_weights())
        found.append(_steps(model, batches(2)))
        model.beta.assign(0.1)
        model.optimizer.learning_rate = 1e-2
        found.append(_steps(model, batches(2)))
        found.append(_steps(model, batches(4, size=1)))
        found.append(losses(model, jit_compile, batches(3))[0][:, 0])
        return np.concatenate(found)

    expected = changed_between(False)
    del graphs[:]
    np.testing.assert_allclose(changed_between("auto"), expected, rtol=1e-5)
    # The step for two clips, its rollout, both for one clip, the step of the other optimiser.
    assert sum(graph.replays > 0 for graph in graphs) >= 3


def test_layers_that_are_frozen_later_stay(graphs):
    model = make_model()
    model.teacher_forcing_ratio.assign(1.0)
    losses(model, "auto", batches(3))
    frozen = model.architecture.frame_encoder
    frozen.trainable = False
    before = [keras.ops.convert_to_numpy(weight) for weight in frozen.weights]
    _steps(model, batches(3))
    for weight, value in zip(frozen.weights, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), value)


def test_many_sizes_do_not_fill_the_memory(graphs):
    model = make_model()
    model.teacher_forcing_ratio.assign(1.0)
    model.compile(keras.optimizers.Adam(1e-3))
    for size in (*range(1, KINDS_KEPT + 3), *range(1, KINDS_KEPT + 3)):
        _steps(model, batches(1, size))
    assert len(graphs) == KINDS_KEPT


def test_the_memory_that_a_graph_writes_to_stays(graphs):
    """The rollout without gradients is recorded by itself, and kept for few sizes."""
    model = make_model()
    model.teacher_forcing_ratio.assign(0.0)
    losses(model, "auto", batches(3))
    (kept,) = map(weakref.ref, model._own_step._in_graphs)
    for size in range(3, 3 + SHAPES_KEPT + 1):
        _steps(model, batches(1, size))
    gc.collect()
    assert kept() is not None


@pytest.mark.parametrize("options", [{"jit_compile": False}, {"run_eagerly": True}])
def test_a_model_that_is_compiled_again_runs_as_it_was_told(graphs, options):
    model = make_model()
    model.teacher_forcing_ratio.assign(1.0)
    losses(model, "auto", batches(3))
    replays = [graph.replays for graph in graphs]
    assert sum(replays) == 2
    model.compile(model.optimizer, **options)
    _steps(model, batches(3))
    assert [graph.replays for graph in graphs] == replays


def test_a_learning_rate_that_changes_is_seen(graphs):
    rates = []

    def rate():
        rates.append(1e-3)
        return 1e-3

    model = make_model()
    model.teacher_forcing_ratio.assign(1.0)
    model.compile(keras.optimizers.Adam(rate))
    _steps(model, batches(4))
    assert len(rates) >= 4, "the function is called in each step"
    model.optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(0.0, 10, 0.9)
    weights = model.trainable_weights
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in weights]
    _steps(model, batches(3))
    for ours, theirs in zip(weights, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), theirs)


def test_another_schedule_is_seen_where_the_first_was_in_memory(graphs):
    def rates(jit_compile):
        model = make_model()
        model.teacher_forcing_ratio.assign(1.0)
        model.compile(keras.optimizers.SGD(1.0), jit_compile=jit_compile)
        found = []
        for rate in (1e-3, 1e-1, 0.0):
            model.optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(
                rate, 1000, 0.9
            )
            gc.collect()
            found.append(_steps(model, batches(4)))
        return np.concatenate(found)

    np.testing.assert_allclose(rates("auto"), rates(False), rtol=1e-5)


def test_plain_numbers_of_the_optimiser_are_seen(graphs):
    def decayed(jit_compile):
        model = make_model()
        model.teacher_forcing_ratio.assign(1.0)
        model.compile(keras.optimizers.AdamW(1e-2, weight_decay=0.0), jit_compile=jit_compile)
        found = [_steps(model, batches(3))]
        for number in range(KINDS_KEPT + 1):
            model.optimizer.weight_decay = 1.0 + number
            found.append(_steps(model, batches(3)))
        return np.concatenate(found)

    found = decayed("auto")
    np.testing.assert_allclose(found, decayed(False), rtol=1e-5)
    assert sum(graph.replays for graph in graphs) == 2 * (KINDS_KEPT + 2)


def test_weights_that_were_moved_are_trained(graphs):
    """As by `model.to` to another device and back, which keeps the variables."""

    def moved(jit_compile):
        model = make_model()
        model.teacher_forcing_ratio.assign(1.0)
        model.compile(keras.optimizers.Adam(1e-2), jit_compile=jit_compile)
        found = [_steps(model, batches(3))]
        before = [weight.value.data for weight in model.trainable_weights]  # not freed
        for weight in model.trainable_weights:
            weight.value.data = weight.value.data.clone()
        found.append(_steps(model, batches(4)))
        assert len(before) == len(model.trainable_weights)
        return np.concatenate(found)

    np.testing.assert_allclose(moved("auto"), moved(False), rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.SGD(1e-2, momentum=0.9),
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecayRestarts(1e-3, 3)),
    ],
    ids=["SGD", "CosineDecayRestarts"],
)
def test_an_update_that_reads_values_is_not_tried(graphs, capsys, make):
    """Keras' own; an error while recording can cost a GPU's memory."""
    found = []
    for jit_compile in (False, "auto"):
        model = make_model(stop_feedback_gradient=False)
        model.teacher_forcing_ratio.assign(1.0)
        model.compile(make(), jit_compile=jit_compile)
        found.append(_steps(model, batches(5)))
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert [graph.replays for graph in graphs] == [4]
    assert "CUDA graph" not in capsys.readouterr().out


def test_the_reason_is_what_was_wrong_first():
    try:
        try:
            raise ValueError("the cause\nand more")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")
    except RuntimeError as error:
        assert replay.reason(error) == "ValueError: the cause"
    try:
        try:
            raise KeyError("handled")
        except KeyError:
            raise ValueError("no such group")  # noqa: B904
    except ValueError as error:
        assert replay.reason(error) == "ValueError: no such group"
    assert replay.reason(KeyError("alone")) == "KeyError: 'alone'"


def test_loss_scaling_stays_outside_the_graph():
    adam = keras.optimizers.Adam(1e-3)
    assert _update_is_fixed(adam)
    assert not _update_is_fixed(keras.optimizers.LossScaleOptimizer(adam))


def test_what_cannot_be_recorded_runs_with_a_line_that_says_why(graphs, capsys):
    def reads(model):
        original = model.negative_elbo

        def negative_elbo(inputs, training):
            loss, terms = original(inputs, training)
            return loss * (1.0 if float(loss.detach()) > 0 else -1.0), terms

        model.negative_elbo = negative_elbo
        return model

    expected, _ = losses(reads(make_model(stop_feedback_gradient=False)), False, batches(4))
    found, _ = losses(reads(make_model(stop_feedback_gradient=False)), "auto", batches(4))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "CUDA graph" in line]
    assert line.startswith("the training step is not recorded as a CUDA graph, and runs slower: ")


def test_an_optimiser_that_reads_values_is_left_out_of_the_graph(graphs, capsys):
    class Reads(keras.optimizers.Adam):
        def apply(self, gradients, variables=None):
            assert float(keras.ops.sum(gradients[0])) < 1e9
            super().apply(gradients, variables)

    found = []
    for jit_compile in (False, "auto"):
        model = make_model(stop_feedback_gradient=False)
        model.compile(Reads(1e-3), jit_compile=jit_compile)
        found.append(_steps(model, batches(4)))
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert all(graph.replays for graph in graphs), "the update was seen to read in its first step"
    assert graphs and "CUDA graph" not in capsys.readouterr().out


def test_predictions_follow_the_weights(graphs):
    model = make_model()
    (batch,) = batches(1)
    for _ in range(2):
        video = model.predict_video(batch["frames"][:, 0], batch["poses"], temperature=1, seed=0)
        z = np.random.default_rng(0)
        shape = model.latent_shape((8, 16))
        frame = batch["frames"][:, 0].astype("float32") / 255
        for t in range(1, 4):
            pose = model.architecture.encode_poses(batch["poses"][:, t : t + 1] / np.float32(255))
            noise = z.standard_normal((2, *shape), "float32")
            given = map(keras.ops.convert_to_tensor, (frame, pose[:, 0], noise))
            frame = keras.ops.convert_to_numpy(model.architecture.step(*given))
            np.testing.assert_allclose(video[:, t], frame, rtol=1e-4, atol=1e-5)
        for weight in model.architecture.trainable_weights:
            weight.assign(weight * 0.8)
    assert sum(graph.replays for graph in graphs) >= 2


def _steps(model, data):
    found = []
    for batch in data:
        model.reset_metrics()
        found.append(float(model.train_on_batch(batch, return_dict=True)["loss"]))
    return np.array(found)
