"""What the tests of checkpoints share: the golden one, and the comparison of weights."""

import numpy as np
from checks import GOLDEN

from keras_cvae.published.names import lab_variables, to_published

GOLDEN_CHECKPOINT = GOLDEN / "lab_tiny.ckpt"


def weights(model):
    return {key: to_published(key, variable) for key, variable in lab_variables(model)}


def same_weights(model, state):
    ours = weights(model)
    theirs = {k: v.float().numpy() for k, v in state.items() if "num_batches" not in k}
    assert ours.keys() == theirs.keys()
    return all(np.array_equal(ours[key], theirs[key]) for key in ours)
