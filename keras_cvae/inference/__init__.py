"""Trained models in use, in any format. Keras is imported only for its own files."""

from keras_cvae.inference.loading import load_predictor, needs_keras
from keras_cvae.predictor import Predictor

__all__ = ["Predictor", "load_predictor", "needs_keras"]
