"""Presets fix architecture and widths; recipes fix all the rest, in the model and in training."""

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
        "logvar_bound": None,
        "temperature": 1.0,
        "initialisation": "pytorch",
    },
    "recommended": {
        "output": "sigmoid",
        "stop_feedback_gradient": True,
        "kl_reduction": "mean",
        "logvar_bound": 4.0,
        "temperature": 0.0,
        "initialisation": "scaled",
    },
}


def model_arguments(preset, recipe="recommended"):
    """The constructor arguments of `CVAE` that a preset and a recipe stand for.

    Args:
        preset: str, a key of `PRESETS`.
        recipe: str, a key of `MODEL_RECIPES`.

    Returns:
        dict.

    Raises:
        ValueError: for an unknown name.
    """
    if preset not in PRESETS:
        raise ValueError(f"Unknown preset {preset!r}; expected one of {', '.join(PRESETS)}.")
    if recipe not in MODEL_RECIPES:
        raise ValueError(f"Unknown recipe {recipe!r}; expected one of {', '.join(MODEL_RECIPES)}.")
    return {**PRESETS[preset], **MODEL_RECIPES[recipe]}
