"""The loop over poses around one step of prediction, in NumPy, for every runtime."""

from keras_cvae.predictor.loops import (
    BUILTIN_POSES,
    OUTPUT,
    POSES,
    PRIORS,
    SKELETON_POSES,
    Piece,
    Step,
    check_temperature,
    each_frame,
    input_names,
)
from keras_cvae.predictor.predictor import Predictor

__all__ = [
    "BUILTIN_POSES",
    "OUTPUT",
    "POSES",
    "PRIORS",
    "Piece",
    "Predictor",
    "SKELETON_POSES",
    "Step",
    "check_temperature",
    "each_frame",
    "input_names",
]
