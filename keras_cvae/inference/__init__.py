"""Prediction with trained models of any format. Only Keras' own formats need Keras."""

from keras_cvae.inference.loading import load_predictor, needs_keras
from keras_cvae.predictor import Predictor

__all__ = ["Predictor", "load_predictor", "needs_keras"]
