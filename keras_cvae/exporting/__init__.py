"""Trained models in the formats of other programs."""

from keras_cvae.exporting.exporter import export, export_all
from keras_cvae.exporting.formats import FORMATS

__all__ = ["FORMATS", "export", "export_all"]
