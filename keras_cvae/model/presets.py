"""Presets fix architecture and widths; recipes fix all the rest, in the model and in training."""

import math

from keras_cvae.errors import UserError, check_choice
from keras_cvae.predictor import POSES, check_temperature

OUTPUT_BOUNDS = ("sigmoid", "clip", "none")
KL_REDUCTIONS = ("sum", "mean")
INITIALISATIONS = ("scaled", "pytorch")
WIDTHS = ("frame_features", "pose_features", "latent_maps", "decoder_features")

PRESETS = {
    "multiscale": {
        "architecture": "multiscale",
        "frame_features": 32,
        "pose_features": 16,
        "latent_maps": 8,
        "decoder_features": 96,
    },
    "lab": {
        "architecture": "lab",
        "frame_features": 128,
        "pose_features": 32,
        "latent_maps": 12,
        "decoder_features": 192,
    },
    "lab_small": {
        "architecture": "lab",
        "frame_features": 32,
        "pose_features": 16,
        "latent_maps": 4,
        "decoder_features": 32,
    },
}

# What a recipe gives the model, by constructor argument.
MODEL_RECIPES = {
    "published": {
        "output": "none",
        "stop_feedback_gradient": False,
        "kl_reduction": "sum",
        "ssim_weight": 0.0,
        "logvar_bound": None,
        "temperature": 1.0,
        "initialisation": "pytorch",
        "prior": "standard",
    },
    "recommended": {
        "output": "sigmoid",
        "stop_feedback_gradient": True,
        "kl_reduction": "mean",
        "ssim_weight": 0.0,
        "logvar_bound": 4.0,
        "temperature": 0.0,
        "initialisation": "scaled",
        "prior": "standard",
    },
}


def model_arguments(preset: str, recipe: str = "recommended") -> dict:
    """The constructor arguments of `CVAE` that a preset and a recipe stand for.

    Args:
        preset: a key of `PRESETS`.
        recipe: a key of `MODEL_RECIPES`.

    Returns:
        dict.

    Raises:
        UserError: for an unknown name.
    """
    check_choice("preset", preset, PRESETS)
    check_choice("recipe", recipe, MODEL_RECIPES)
    return {**PRESETS[preset], **MODEL_RECIPES[recipe]}


def check_options(
    output: str,
    kl_reduction: str,
    initialisation: str,
    logvar_bound: float | None,
    temperature: float,
    ssim_weight: float,
    poses: str | None = None,
) -> None:
    """Checks the options of a `CVAE`.

    Raises:
        UserError: for an unknown name or a value out of its range.
    """
    check_choice("output", output, OUTPUT_BOUNDS)
    check_choice("kl_reduction", kl_reduction, KL_REDUCTIONS)
    check_choice("initialisation", initialisation, INITIALISATIONS)
    if logvar_bound is not None and not 0 < logvar_bound < math.inf:
        raise UserError(f"logvar_bound must be positive and finite, or None; got {logvar_bound}.")
    check_temperature(temperature)
    if not 0 <= ssim_weight < math.inf:
        raise UserError(f"ssim_weight must be at least 0 and finite; got {ssim_weight}.")
    if poses is not None:
        check_choice("poses", poses, POSES)
