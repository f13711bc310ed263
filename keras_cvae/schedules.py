"""Schedules of beta and of the teacher-forcing ratio: pure functions of the epoch.

Epochs count from 0. After its end a schedule keeps its last value.
"""

import math

from keras_cvae.errors import UserError, check_choice

KL_STRATEGIES = ("none", "monotonic", "cyclical")


def kl_weight(
    epoch: int,
    strategy: str,
    epochs: int,
    cycles: int = 10,
    ratio: float = 1.0,
    start: float = 0.0,
    stop: float = 1.0,
) -> float:
    """The KL weight beta in one epoch, annealed as in Fu et al. 2019 (arXiv:1903.10145).

    With `"none"`, beta is `stop` in every epoch. `"monotonic"` is one ramp from `start` to `stop`,
    `"cyclical"` is `cycles` ramps. A cycle is `period = epochs / cycles` epochs long. Its ramp
    rises linearly during the share `ratio` of the cycle, then beta stays at `stop`.

    The published formula is undefined in three cases. Here a ramp of one epoch or less is at `stop`
    at once, so a cycle of one epoch has beta = `stop`. `cycles` is at most `epochs`. An epoch after
    the end has the value of the last epoch.

    Args:
        epoch: at least 0.
        strategy: `"none"`, `"monotonic"` or `"cyclical"`.
        epochs: at least 1, the length of the schedule.
        cycles: at least 1, the number of ramps of `"cyclical"`.
        ratio: in (0, 1], the ramp's share of a cycle.
        start: at least 0, beta at the beginning of a ramp.
        stop: at least 0, beta at the end of a ramp.

    Returns:
        beta.

    Raises:
        UserError: for an unknown strategy, or a value out of its range.
    """
    check_choice("KL annealing", strategy, KL_STRATEGIES)
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
    # With the tolerance the ramp's last epoch reaches 1 in spite of rounding.
    share = 1.0 if ramp <= 0 or position >= ramp - 1e-9 else position / ramp
    return float(start + (stop - start) * share)


def default_cycles(epochs: int, ratio: float = 1.0) -> int:
    """The number of cycles that `"cyclical"` annealing has where none is given.

    A ramp is at least three epochs long, and there are at most ten ramps: four at 16 epochs (as in
    Fu et al. 2019), ten at 70 (as published).

    Args:
        epochs: at least 1, the length of the schedule.
        ratio: in (0, 1], the ramp's share of a cycle.

    Returns:
        min(10, floor(epochs / (1 + 3 / ratio))), at least 1.
    """
    return max(1, min(10, math.floor(epochs / (1 + 3 / ratio))))


def has_ramps(epochs: int, cycles: int, ratio: float = 1.0) -> bool:
    """Whether the cycles are long enough for beta to have a value between its ends.

    Without ramps, beta is constant or jumps between its two ends.

    Args:
        epochs, cycles, ratio: as for `kl_weight`.
    """
    return (epochs / cycles - 1) * ratio > 1


def most_cycles(epochs: int, ratio: float = 1.0) -> int:
    """The largest number of cycles that have ramps; 0 if the schedule is too short for one.

    Args:
        epochs, ratio: as for `kl_weight`.
    """
    most = min(epochs, math.ceil(epochs / (1 + 1 / ratio)))  # rounding can put it on either side
    return next((c for c in range(most, 0, -1) if has_ramps(epochs, c, ratio)), 0)


def teacher_forcing_ratio(
    epoch: int, start: float = 1.0, start_decay_epoch: int = 10, decay_step: float = 0.1
) -> float:
    """The probability of teacher forcing in one epoch.

    It is `start` while fewer than `start_decay_epoch` epochs are finished. Then it falls by
    `decay_step` at the end of each epoch, down to 0. With the defaults it is 1.0 in epochs 0-9, 0.9
    in epoch 10, and 0 from epoch 19 on.

    Args:
        epoch: at least 0.
        start: in [0, 1].
        start_decay_epoch: at least 0, the finished epochs before the first decay.
        decay_step: at least 0.

    Returns:
        The ratio, in [0, 1].

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
    # At the end of epoch e, e + 1 epochs are finished. So with start_decay_epoch=0, too, the first
    # decay is at the end of epoch 0.
    decays = max(epoch - max(start_decay_epoch, 1) + 1, 0)
    return max(start - decays * decay_step, 0.0)
