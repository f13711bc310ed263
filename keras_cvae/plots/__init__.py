"""Figures of runs, one function each, for files and notebooks."""

from keras_cvae.plots.film_strip import plot_film_strip
from keras_cvae.plots.history import plot_history
from keras_cvae.plots.psnr_per_frame import plot_psnr_per_frame

__all__ = ["plot_film_strip", "plot_history", "plot_psnr_per_frame"]
