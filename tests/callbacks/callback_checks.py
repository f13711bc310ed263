"""What the tests of callbacks share."""

import keras
import numpy as np

from keras_cvae import CVAE


class Spy(keras.callbacks.Callback):
    """Notes what the callbacks before it in the list have left behind."""

    def __init__(self):
        super().__init__()
        self.batches = []  # (epoch, beta, ratio) as each batch begins
        self.logs = {}  # epoch -> logs as it ends

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        model = self.model
        values = (float(v.numpy()) for v in (model.beta, model.teacher_forcing_ratio))
        self.batches.append((self._epoch, *values))

    def on_epoch_end(self, epoch, logs=None):
        self.logs[epoch] = dict(logs)


def make_model(**options):
    keras.utils.set_random_seed(0)
    widths = {"frame_features": 4, "pose_features": 2, "latent_maps": 2, "decoder_features": 8}
    model = CVAE("multiscale", **widths, **{"seed": 0, **options})
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def random_video(length, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.integers(0, 256, (length, 8, 16, 3), dtype=np.uint8) for _ in range(2))


def state_of(model):
    """Every variable of a model and its optimiser, copied."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assert_same(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)
