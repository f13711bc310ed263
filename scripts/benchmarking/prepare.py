"""What all cases share, made on torch before they are measured: weights, operations, the peak."""

import dataclasses
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarking import ours, plain
from benchmarking.cases import BASELINE, OURS, PLAIN

COUNTED = ("train_free", "train_forced", "rollout")
_SIDE = 2048  # of the matrices whose product gives the peak
_PRODUCTS = 10
_LONGEST = 5.0  # seconds after which a slow processor has shown its best


def prepare(cases, folder, loop):
    """Writes the weights that plain loop and `lab` share, counts operations, measures the peak.

    Args:
        cases: list of `Case`, all that will be measured.
        folder: `Path` to write the weights into.
        loop: path of the plain loop's file.

    Returns:
        dict with `"peaks"`, FLOP/s by the name of a precision, and `"flops"`, a list of
        `[preset, task, FLOP per predicted frame]`.
    """
    shared = [case for case in cases if case.preset == BASELINE]
    if shared:
        _write_weights(shared[0], folder, loop)
    flops = []
    for preset, task in dict.fromkeys((c.preset, c.task) for c in cases if c.task in COUNTED):
        case = next(c for c in cases if (c.preset, c.task) == (preset, task))
        flops.append([preset, task, flops_per_frame(case, folder, loop)])
    peaks = {"float32": torch.float32, "mixed_bfloat16": torch.bfloat16}
    return {"peaks": {name: peak(dtype) for name, dtype in peaks.items()}, "flops": flops}


def flops_per_frame(case, folder, loop):
    """Floating-point operations per predicted frame: of the plain loop for `lab`, else of ours.

    Products and convolutions, forward and backward, as `FlopCounterMode` counts them. What the
    published loop computes twice (the encoded frame, under teacher forcing) counts twice for `lab`.

    Args:
        case: `Case`; task, preset, widths and sizes matter. One clip is counted.
        folder, loop: as in `prepare`.

    Returns:
        float.
    """
    case = dataclasses.replace(case, batch=1, precision="float32", backend="torch")
    if case.task == "rollout":
        case = dataclasses.replace(case, clip_length=2)
    if case.preset == BASELINE:
        case = dataclasses.replace(case, implementation=PLAIN)
        kind = plain.Rollout if case.task == "rollout" else plain.Training
        subject = kind(case, folder, loop)
    else:
        case = dataclasses.replace(case, implementation=OURS)
        subject = (ours.Rollout if case.task == "rollout" else ours.Training)(case)
    if case.task == "rollout":
        subject.warm_up()  # what records the step would be counted as well
    with FlopCounterMode(display=False) as counter:
        frames = subject.step()
    return counter.get_total_flops() / frames


def peak(dtype):
    """FLOP/s of a product of two 2048 x 2048 matrices, the best of several."""
    left, right = (torch.randn(_SIDE, _SIDE).to(dtype) for _ in range(2))
    times = []
    while len(times) <= _PRODUCTS and sum(times) < _LONGEST:
        started = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - started)
    return 2 * _SIDE**3 / min(times)


def _write_weights(case, folder, loop):
    from keras_cvae.published.checkpoint import load_lab_checkpoint

    torch.manual_seed(0)
    model = plain.load_loop(loop).ReferenceCVAE(**case.width_arguments())
    torch.save({"state_dict": model.state_dict()}, folder / plain.CHECKPOINT)
    load_lab_checkpoint(folder / plain.CHECKPOINT).save_weights(folder / ours.WEIGHTS)
