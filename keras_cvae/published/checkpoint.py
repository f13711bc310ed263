"""Reads and writes checkpoints of the published PyTorch code."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from keras import ops

from keras_cvae.architectures.lab import LabArchitecture
from keras_cvae.errors import UserError, first_line
from keras_cvae.files import written_whole
from keras_cvae.model.cvae import CVAE
from keras_cvae.published.names import lab_variables, to_keras, to_published

# The last bias of a module is as long as the module has output channels.
_WIDTHS = {
    "frame_features": "frame_transformation.6.bias",
    "pose_features": "label_transformation.4.conv2.bias",
    "latent_maps": "Gaussian_Predictor.6.bias",  # twice as long: mu and logvar
    "decoder_features": "Decoder_Fusion.5.bias",
}
_BATCHES = "label_transformation.2.num_batches_tracked"  # PyTorch counts them; nobody reads it
_SHOWN = 3  # the largest number of keys in an error message


def load_lab_checkpoint(path: str | os.PathLike, **overrides: Any) -> CVAE:
    """Makes a `CVAE` from a checkpoint of the published PyTorch code.

    The file holds a dict with `state_dict`, or a bare state dict. It may have been saved on a GPU,
    or from `DataParallel` (its keys begin with `module.`). The shapes in it determine the widths;
    all other settings are those of the recipe `published`. If the file has a teacher-forcing ratio
    (`tfr`), the model gets it. No code from the file is run (`weights_only=True`). It works on
    every backend; PyTorch must be installed.

    Args:
        path: the checkpoint.
        **overrides: constructor arguments of `CVAE` that replace those of the recipe, such as
            `output="sigmoid"` if the code that trained the checkpoint bounded its output.

    Returns:
        The model, not compiled.

    Raises:
        UserError: if PyTorch is not installed, or the file is no such checkpoint. The message names
            the weights that are missing, unexpected or of another shape.

    Example:

    ```python
    model = keras_cvae.load_lab_checkpoint("epoch=69.ckpt")
    video = model.predict_video(first_frame, poses)
    ```
    """
    path = Path(path)
    checkpoint = _read(path)
    state = _state_dict(checkpoint, path)
    if absent := [key for key in _WIDTHS.values() if key not in state]:
        raise _not_published(path, f"it has no {_some(absent)}, from which the widths are read")
    widths = {name: len(np.atleast_1d(state[key])) for name, key in _WIDTHS.items()}
    widths["latent_maps"] //= 2
    try:
        model = CVAE.from_preset("lab", "published", **{**widths, **overrides})
    except ValueError as error:
        raise UserError(f"{path} gives no model: {error}") from error

    expected = {key: to_published(key, variable).shape for key, variable in lab_variables(model)}
    if absent := [key for key in expected if key not in state]:
        raise _not_published(path, f"{len(absent)} weights are missing: {_some(absent)}")
    if others := [key for key in state if key not in expected and key != _BATCHES]:
        raise _not_published(path, f"{len(others)} keys are unexpected: {_some(others)}")
    for key, shape in expected.items():
        if state[key].shape != shape:
            raise _not_published(
                path,
                f"{key} has the shape {state[key].shape}, expected {shape} at the widths {widths}",
            )
    for key, variable in lab_variables(model):
        variable.assign(to_keras(key, state[key], variable.shape))
    ratio = checkpoint.get("tfr")
    if isinstance(ratio, (int, float)) and 0 <= ratio <= 1:
        model.teacher_forcing_ratio.assign(float(ratio))
    return model


def save_lab_checkpoint(model: CVAE, path: str | os.PathLike, overwrite: bool = False) -> None:
    """Writes a checkpoint that the published PyTorch code loads with `strict=True`.

    The file holds what that code writes: a dict with `state_dict`, `optimizer` (that code stores
    the weights there again, by mistake), `lr`, `tfr`, and `last_epoch`, which is 0, so that its
    schedules start from the beginning. The optimiser's state is not in it. The file is written
    whole or not at all.

    The published model has no bound on its output. If this model has one, the code that loads the
    checkpoint must apply it (a sigmoid, or clipping) to the generator's output; a warning says so.

    Args:
        model: of the `lab` architecture, of any widths.
        path: the file to write.
        overwrite: whether an existing file is replaced.

    Raises:
        UserError: if PyTorch is not installed, the model has another architecture, the file exists,
            or its folder does not.

    Example:

    ```python
    keras_cvae.save_lab_checkpoint(model, "dancer.ckpt")
    ```
    """
    torch = _torch()
    path = Path(path)
    if not isinstance(model, CVAE) or not isinstance(model.architecture, LabArchitecture):
        what = model.get_config()["architecture"] if isinstance(model, CVAE) else type(model)
        raise UserError(
            "The published code has the architecture 'lab' alone, and a checkpoint for it can be "
            f"written of a CVAE of that architecture only; got {what!r}."
        )
    if os.path.lexists(path) and not overwrite:
        raise UserError(f"{path} exists already; give another name, or pass overwrite=True.")
    if not path.parent.is_dir():
        raise UserError(f"The folder {path.parent} does not exist; make it first.")
    if model.output_bound != "none":
        warnings.warn(
            f"The model bounds its output ({model.output_bound}), which the published code does "
            "not: apply that to the generator's output there, or predictions will differ.",
            stacklevel=2,
        )
    state = {
        key: torch.from_numpy(to_published(key, variable)) for key, variable in lab_variables(model)
    }
    state[_BATCHES] = torch.tensor(0)
    checkpoint = {
        "state_dict": state,
        "optimizer": state,
        "lr": _learning_rate(model),
        "tfr": float(ops.convert_to_numpy(model.teacher_forcing_ratio)),
        "last_epoch": 0,
    }
    with written_whole(path) as partial:
        torch.save(checkpoint, partial)


def _learning_rate(model: CVAE) -> float:
    """The present learning rate; the published one if the model is not compiled."""
    optimizer = getattr(model, "optimizer", None)
    return float(ops.convert_to_numpy(optimizer.learning_rate)) if optimizer else 1e-3


def _read(path: Path) -> dict:
    """The dict that `torch.load` returns."""
    torch = _torch()
    if not path.is_file():
        raise UserError(f"There is no checkpoint at {path}.")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file can raise any type of error
        raise UserError(
            f"{path} could not be read as a PyTorch checkpoint, nothing in it was run: it is "
            "damaged, no checkpoint, or holds more than tensors and numbers (then save its "
            f"state_dict alone: torch.save(model.state_dict(), ...)). PyTorch says: "
            f"{first_line(error)}"
        ) from error
    if not isinstance(checkpoint, dict):
        raise _not_published(path, f"it holds a {type(checkpoint).__name__}, not a dict")
    return checkpoint


def _state_dict(checkpoint: dict, path: Path) -> dict[str, np.ndarray]:
    """The weights as float32 arrays, without the prefix of `DataParallel`."""
    torch = _torch()
    state = checkpoint.get("state_dict", checkpoint)
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise _not_published(path, "there is no state dict of tensors in it")
    return {
        str(key).removeprefix("module."): value.detach().float().numpy()
        for key, value in state.items()
    }


def _torch() -> ModuleType:
    try:
        import torch
    except ImportError as error:
        raise UserError(
            "Checkpoints of the published code are PyTorch files, and torch is not installed. "
            "Install it with pip install 'keras_cvae[torch]'; the model may run on any backend."
        ) from error
    return torch


def _some(keys: Sequence[str]) -> str:
    rest = len(keys) - _SHOWN
    return ", ".join(keys[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _not_published(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} is not a checkpoint of the published model: {why}. Expected is its state_dict, "
        "with the modules frame_transformation, label_transformation, Gaussian_Predictor, "
        "Decoder_Fusion and Generator."
    )
