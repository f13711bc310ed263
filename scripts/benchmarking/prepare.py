"""What cases share, prepared on torch and a CPU before they are measured: weights, operations."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from benchmarking import ours, plain
from benchmarking.cases import BASELINE, COUNTED, OURS, PLAIN, Case


def prepare(cases: Sequence[Case], folder: Path, loop: str | os.PathLike) -> list[list]:
    """Writes the weights that plain loop and `lab` share, and counts operations.

    Args:
        cases: all that will be measured.
        folder: where to write the weights.
        loop: path of the plain loop's file.

    Returns:
        list of `[preset, task, FLOP per predicted frame]`, for the tasks that are `COUNTED`.
    """
    shared = [case for case in cases if case.preset == BASELINE]
    if shared:
        _write_weights(shared[0], folder, loop)
    flops = []
    counted = [case for case in cases if case.task in COUNTED]
    for preset, task in dict.fromkeys((case.preset, case.task) for case in counted):
        case = next(c for c in counted if (c.preset, c.task) == (preset, task))
        flops.append([preset, task, flops_per_frame(case, folder, loop)])
    return flops


def flops_per_frame(case: Case, folder: Path, loop: str | os.PathLike) -> float:
    """Floating-point operations per predicted frame: of the plain loop for `lab`, else of ours.

    Products and convolutions, forward and backward, as `FlopCounterMode` counts them. Under teacher
    forcing the published loop encodes each frame twice, which counts twice for `lab`.

    Args:
        case: task, preset, widths and sizes matter. One clip is counted.
        folder, loop: as in `prepare`.

    Returns:
        float.
    """
    case = dataclasses.replace(case, batch=1, precision="float32", backend="torch", device="cpu")
    if case.task == "rollout":
        case = dataclasses.replace(case, clip_length=2)
    subject: Any
    if case.preset == BASELINE:
        case = dataclasses.replace(case, implementation=PLAIN)
        kind = plain.Rollout if case.task == "rollout" else plain.Training
        subject = kind(case, folder, loop)
    else:
        case = dataclasses.replace(case, implementation=OURS)
        subject = (ours.Rollout if case.task == "rollout" else ours.Training)(case)
    if case.task == "rollout":
        subject.warm_up()  # else the recording of the step would be counted too
    with FlopCounterMode(display=False, custom_mapping=_fused()) as counter:
        frames = subject.step()
    return counter.get_total_flops() / frames


def _fused() -> dict:
    """How to count the fused convolutions of recorded steps, which PyTorch's counter lacks."""
    fused = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
    return {} if fused is None else {fused: _convolution_flops}


def _convolution_flops(x: Sequence, weight: Sequence, *_: Any, out_shape: Any, **__: Any) -> int:
    return conv_flop_count(x, weight, out_shape)


def _write_weights(case: Case, folder: Path, loop: str | os.PathLike) -> None:
    from keras_cvae.published.checkpoint import load_lab_checkpoint

    torch.manual_seed(0)
    model = plain.load_loop(loop).ReferenceCVAE(**case.width_arguments())
    torch.save({"state_dict": model.state_dict()}, folder / plain.CHECKPOINT)
    ours_of_it = load_lab_checkpoint(folder / plain.CHECKPOINT, output="none")
    ours_of_it.save_weights(folder / ours.WEIGHTS)
