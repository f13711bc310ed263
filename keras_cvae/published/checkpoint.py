"""Reads and writes checkpoints of the published PyTorch code."""

import os
import warnings
from pathlib import Path

from keras import ops

from keras_cvae.architectures.lab import LabArchitecture
from keras_cvae.errors import UserError
from keras_cvae.files import written_whole
from keras_cvae.model.cvae import CVAE
from keras_cvae.published.loading import import_torch, load_lab_checkpoint
from keras_cvae.published.names import BATCHES, lab_variables, to_published

__all__ = ["load_lab_checkpoint", "save_lab_checkpoint"]


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
        UserError: if PyTorch is not installed, the model has another architecture or
            another prior, the file exists, or its folder does not.

    Example:

    ```python
    keras_cvae.save_lab_checkpoint(model, "dancer.ckpt")
    ```
    """
    torch = import_torch()
    path = Path(path)
    if not isinstance(model, CVAE) or not isinstance(model.architecture, LabArchitecture):
        what = model.get_config()["architecture"] if isinstance(model, CVAE) else type(model)
        raise UserError(
            "The published code has the architecture 'lab' alone, and a checkpoint for it can be "
            f"written of a CVAE of that architecture only; got {what!r}."
        )
    if model.architecture.prior != "standard":
        raise UserError(
            f"The published code has the prior N(0, I) alone, and this model has the prior "
            f"{model.architecture.prior!r}, whose weights it does not know. Export the model in "
            "another format."
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
    state[BATCHES] = torch.tensor(0)
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
