"""The loop over poses around one step of prediction, in NumPy, for every runtime."""

from keras_cvae.predictor.loops import (
    OUTPUT,
    PRIORS,
    Piece,
    Step,
    check_temperature,
    each_frame,
    input_names,
)
from keras_cvae.predictor.predictor import Predictor

__all__ = [
    "OUTPUT",
    "PRIORS",
    "Piece",
    "Predictor",
    "Step",
    "check_temperature",
    "each_frame",
    "input_names",
]
