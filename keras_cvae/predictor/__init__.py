"""The loop over poses around one step of prediction, in NumPy, for every runtime."""

from keras_cvae.predictor.loops import (
    INPUTS,
    OUTPUT,
    Piece,
    Step,
    check_temperature,
    each_frame,
)
from keras_cvae.predictor.predictor import Predictor

__all__ = ["INPUTS", "OUTPUT", "Piece", "Predictor", "Step", "check_temperature", "each_frame"]
