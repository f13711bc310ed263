"""Figures of runs, one function each."""

from keras_cvae.plots.film_strip import plot_film_strip
from keras_cvae.plots.history import KL_UNITS, plot_history
from keras_cvae.plots.psnr_per_frame import plot_psnr_per_frame
from keras_cvae.plots.strategies import (
    plot_beta_by_strategy,
    plot_losses_by_strategy,
    plot_psnr_by_strategy,
    plot_teacher_forcing,
)

__all__ = [
    "KL_UNITS",
    "plot_beta_by_strategy",
    "plot_film_strip",
    "plot_history",
    "plot_losses_by_strategy",
    "plot_psnr_by_strategy",
    "plot_psnr_per_frame",
    "plot_teacher_forcing",
]
