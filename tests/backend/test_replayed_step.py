"""Training steps that a GPU replays; without one, a stand-in for the CUDA graph does."""

import keras
import numpy as np
import pytest
from checks import TINY

torch = pytest.importorskip("torch")
from replay_stand_in import use_stand_in  # noqa: E402

from keras_cvae import CVAE  # noqa: E402
from keras_cvae.backend import replay  # noqa: E402

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
    assert not [graph for graph in graphs if graph.replays > STEPS]
    del graphs[:]
    found, replayed = losses(make_model(**options), "auto", batches())
    assert sum(graph.replays for graph in graphs) >= STEPS - 2  # two branches begin
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for ours, theirs in zip(replayed, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
