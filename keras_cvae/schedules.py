"""Schedules of beta and of the teacher-forcing ratio: pure functions of the epoch.

Every function takes the number of the epoch, from 0, and holds its last value past the end.
"""

import math

from keras_cvae.errors import UserError

KL_STRATEGIES = ("none", "monotonic", "cyclical")


def kl_weight(epoch, strategy, epochs, cycles=10, ratio=1.0, start=0.0, stop=1.0):
    """The KL weight beta in one epoch, annealed as in Fu et al. 2019 (arXiv:1903.10145).

    `none` is `stop` in every epoch. `monotonic` is one ramp from `start` to `stop`, `cyclical` is
    `cycles` of them. A cycle is `period = epochs / cycles` epochs long; its ramp rises linearly
    during the share `ratio` of the cycle and then stays at `stop`. Where the published formula is
    undefined, these hold: a ramp that has room for one epoch or less is at `stop` at once (so a
    cycle of one epoch has beta = `stop`), more cycles than epochs are as many cycles as epochs,
    and an epoch past the end has the last epoch's value.

    Args:
        epoch: int >= 0.
        strategy: `"none"`, `"monotonic"` or `"cyclical"`.
        epochs: int >= 1, the length of the schedule.
        cycles: int >= 1, used by `cyclical`.
        ratio: float in (0, 1], the ramp's share of a cycle.
        start: float >= 0, beta at the beginning of a ramp.
        stop: float >= 0, beta at its end.

    Returns:
        float, beta.

    Raises:
        UserError: for an unknown strategy or a value out of its range.
    """
    if strategy not in KL_STRATEGIES:
        raise UserError(f"Unknown KL annealing {strategy!r}; expected one of {KL_STRATEGIES}.")
    if epochs < 1 or cycles < 1:
        raise UserError(
            f"KL annealing needs at least one epoch and one cycle; got epochs={epochs}, "
            f"cycles={cycles}."
        )
    if not 0 < ratio <= 1:
        raise UserError(
            f"The ramp's share of a cycle must be in (0, 1]; got ratio={ratio}. "
            "1 ramps during the whole cycle."
        )
    if not (0 <= start < math.inf and 0 <= stop < math.inf):
        raise UserError(f"beta must be finite and not negative; got start={start}, stop={stop}.")
    if epoch < 0:
        raise UserError(f"epoch must be at least 0; got {epoch}.")
    if strategy == "none":
        return float(stop)
    cycles = 1 if strategy == "monotonic" else min(cycles, epochs)
    epoch = min(epoch, epochs - 1)
    period = epochs / cycles
    # Cycle k begins at epoch int(k * period); the position counts from there, as published.
    cycle = max(k for k in range(cycles) if int(k * period) <= epoch)
    position = epoch - int(cycle * period)
    ramp = (period - 1) * ratio
    # The tolerance lets the ramp's last epoch reach 1 where rounding would fall short of it.
    share = 1.0 if ramp <= 0 or position >= ramp - 1e-9 else position / ramp
    return float(start + (stop - start) * share)


def teacher_forcing_ratio(epoch, start=1.0, start_decay_epoch=10, decay_step=0.1):
    """The probability of teacher forcing in one epoch.

    It stays at `start` while fewer than `start_decay_epoch` epochs are finished and then falls by
    `decay_step` at the end of each epoch, down to 0: with the defaults epochs 0-9 use 1.0, epoch
    10 uses 0.9, epoch 19 and all later ones 0.

    Args:
        epoch: int >= 0.
        start: float in [0, 1].
        start_decay_epoch: int >= 0, finished epochs before the first decay.
        decay_step: float >= 0.

    Returns:
        float in [0, 1].

    Raises:
        UserError: for a value out of its range.
    """
    if not 0 <= start <= 1:
        raise UserError(f"The teacher-forcing ratio is a probability in [0, 1]; got {start}.")
    if start_decay_epoch < 0 or not decay_step >= 0 or epoch < 0:
        raise UserError(
            "epoch, start_decay_epoch and decay_step must not be negative; got "
            f"epoch={epoch}, start_decay_epoch={start_decay_epoch}, decay_step={decay_step}."
        )
    # The end of epoch e counts e + 1 finished epochs; with start_decay_epoch=0 the end of epoch 0
    # is the first decay all the same.
    decays = max(epoch - max(start_decay_epoch, 1) + 1, 0)
    return max(start - decays * decay_step, 0.0)
