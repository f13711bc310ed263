"""Makes a model from a checkpoint of the published PyTorch code."""

import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.files import check_regular
from keras_cvae.model.cvae import CVAE
from keras_cvae.published.names import BATCHES, lab_variables, to_keras, to_published
from keras_cvae.published.state_dict import Weights, find_weights, read_checkpoint, shown

# The last bias of a module is as long as the module has output channels.
_WIDTHS = {
    "frame_features": "frame_transformation.6.bias",
    "pose_features": "label_transformation.4.conv2.bias",
    "latent_maps": "Gaussian_Predictor.6.bias",  # twice as long: mu and logvar
    "decoder_features": "Decoder_Fusion.5.bias",
}
_LEAST_BYTES = 16  # of a file, for the square of the sum of its widths; in float16 it has over 22
_VARIANCE = "label_transformation.2.running_var"


def load_lab_checkpoint(path: str | os.PathLike, **overrides: Any) -> CVAE:
    """Makes a `CVAE` from a checkpoint of the published PyTorch code.

    The state dict is found under `state_dict`, `model_state_dict`, `model` or `net`, or is the file
    itself. The file may have been saved on a GPU, from `DataParallel` or `torch.compile`: the
    prefixes `module.`, `_orig_mod.` and `model.` are taken off. Other tensors are ignored, with a
    warning. The shapes determine the widths; all other settings are those of the recipe
    `published`. If the file has a teacher-forcing ratio (`tfr`), the model gets it. No code in the
    file is run. It works on every backend; PyTorch must be installed.

    A checkpoint does not say whether the code that trained it bounds its output. Without `output`
    none is assumed, as published, and a warning says so; `published.bound.outside_unit` helps to
    find out.

    Args:
        path: the checkpoint.
        **overrides: constructor arguments of `CVAE` that replace those of the recipe, such as
            `output="sigmoid"` if the code that trained the checkpoint bounded its output.

    Returns:
        The model, not compiled.

    Raises:
        UserError: if PyTorch is not installed, or the file is no such checkpoint. The message names
            the weights that are missing, of another shape, not finite, or no dense floats.

    Example:

    ```python
    model = keras_cvae.load_lab_checkpoint("epoch=69.ckpt", output="none")
    video = model.predict_video(first_frame, poses)
    ```
    """
    torch = import_torch()
    path = check_regular(path)
    if not path.is_file():
        raise UserError(f"There is no checkpoint at {path}.")
    checkpoint = read_checkpoint(path, torch)
    weights = _weights(checkpoint, path, torch)
    if overrides.get("prior", "standard") != "standard":
        raise UserError(
            f"prior={overrides['prior']!r} was given, but the published model has no weights of a "
            f"prior: it is N(0, I). Load {path} without it."
        )
    widths = _widths(weights, path, torch)
    try:
        model = CVAE.from_preset("lab", "published", **{**widths, **overrides})
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} gives no model: {error}") from error

    variables = dict(lab_variables(model))
    if absent := [key for key in variables if key not in weights.tensors]:
        raise _not_published(
            path,
            f"{len(absent)} weights are missing: {shown(absent)}. The first keys in it are "
            f"{shown(weights.keys.values())}",
        )
    arrays = {key: _array(weights, key, path, torch) for key in variables}
    for key, variable in variables.items():
        expected = to_published(key, variable).shape
        if arrays[key].shape != expected:
            raise _not_published(
                path,
                f"{key} has the shape {arrays[key].shape}, expected {expected} at the widths "
                f"{widths}",
            )
    for key, variable in variables.items():
        variable.assign(to_keras(key, arrays[key], variable.shape))
    ratio = checkpoint.get("tfr")
    if isinstance(ratio, (int, float, np.number)) and 0 <= ratio <= 1:
        model.teacher_forcing_ratio.assign(float(ratio))
    if others := [weights.keys[key] for key in weights.keys if key not in {*variables, BATCHES}]:
        warnings.warn(
            f"{path} has {len(others)} tensors that the published model has not. They were "
            f"ignored: {shown(others)}.",
            stacklevel=2,
        )
    if "output" not in overrides:
        warnings.warn(
            f"{path} does not say whether its model bounds its output: no bound is assumed, as in "
            'the published code. Pass output="sigmoid" if the code that trained it ends in a '
            'sigmoid, or output="none" if you know that it does not.',
            stacklevel=2,
        )
    return model


def import_torch() -> ModuleType:
    """PyTorch, whose files checkpoints are.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise UserError(
            "Checkpoints of the published code are PyTorch files, and torch is not installed. "
            "Install it with pip install 'keras_cvae[torch]'; the model may run on any backend."
        ) from error
    return torch


def _weights(checkpoint: Any, path: Path, torch: ModuleType) -> Weights:
    if not isinstance(checkpoint, dict):
        raise _not_published(path, f"it holds a {type(checkpoint).__name__}, not a dict")
    weights = find_weights(checkpoint, _WIDTHS.values(), torch)
    if weights is None:
        raise _not_published(
            path, f"there is no state dict of tensors in it. Its keys are {shown(checkpoint)}"
        )
    return weights


def _widths(weights: Weights, path: Path, torch: ModuleType) -> dict[str, int]:
    """The model's widths, if the file is large enough to have the weights of such a model."""
    if absent := [key for key in _WIDTHS.values() if key not in weights.tensors]:
        raise _not_published(
            path,
            f"it has no {shown(absent)}, from which the widths are read. The first keys in it are "
            f"{shown(weights.keys.values())}",
        )
    widths = {name: _array(weights, key, path, torch).size for name, key in _WIDTHS.items()}
    widths["latent_maps"] //= 2
    # A bias of a few bytes may claim a model of gigabytes.
    if _LEAST_BYTES * sum(widths.values()) ** 2 > path.stat().st_size:
        raise _not_published(
            path, f"its widths would be {widths}, and the file is too small for such a model"
        )
    return widths


def _array(weights: Weights, key: str, path: Path, torch: ModuleType) -> np.ndarray:
    """A weight as a float32 array.

    A tensor may claim more than the file holds, such as an expanded one; its own bytes cannot.
    """
    value = weights.tensors[key]
    tensor = torch.from_numpy(value) if isinstance(value, np.ndarray) else value.detach()
    faults = {
        "sparse": tensor.layout != torch.strided,
        "meta, without values": tensor.is_meta,
        "quantised": tensor.is_quantized,
        f"of the type {tensor.dtype}": not tensor.is_floating_point(),
    }
    if found := [fault for fault, holds in faults.items() if holds]:
        raise _not_published(path, f"{key} is {found[0]}; expected are dense floats")
    if tensor.numel() * tensor.element_size() > 2 * path.stat().st_size:
        raise _not_published(path, f"{key} claims {tensor.numel()} values, more than the file has")
    array = tensor.float().numpy()
    if not np.isfinite(array).all():
        raise _not_published(path, f"{key} has values that are not finite; its training broke")
    if key == _VARIANCE and array.min(initial=0) < 0:
        raise _not_published(path, f"{key} has negative values, and is a variance")
    return array


def _not_published(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} is not a checkpoint of the published model: {why}. Expected is its state_dict, "
        "with the modules frame_transformation, label_transformation, Gaussian_Predictor, "
        "Decoder_Fusion and Generator."
    )
