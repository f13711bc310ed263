"""Trained models in the formats of other programs; `keras_cvae.export` is the way in."""
