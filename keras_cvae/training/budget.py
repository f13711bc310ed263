"""What a run costs in time, and how many epochs fit into a time."""

from typing import NamedTuple

from keras_cvae.training.length import rollout_interval, validation_interval


class Costs(NamedTuple):
    """What the parts of a run take, in seconds.

    Args:
        epoch: the steps of an epoch, and saving the state.
        validation: the prediction of the validation videos, its GIF, and the curves.
        rollout: a GIF of the rollout that is kept.
        results: the evaluation at the end.
        again: what a new model needs once more before its first step and prediction: compiling.
    """

    epoch: float
    validation: float
    rollout: float
    results: float
    again: float = 0.0

    def seconds(self, epochs: int, every: int) -> float:
        """The time of a run, from its first step to its results.

        Args:
            epochs: of the run.
            every: epochs from validation to validation; the last epoch is always validated.
        """
        validations = -(-epochs // every)
        rollouts = epochs // rollout_interval(epochs)
        return (
            epochs * self.epoch
            + validations * self.validation
            + rollouts * self.rollout
            + self.results
        )

    def fitting_epochs(self, seconds: float, every: int | None, least: int = 1) -> int:
        """The largest number of epochs that takes at most a time.

        Args:
            seconds: the time.
            every: epochs from validation to validation; `None` is `validation_interval`.
            least: the fewest epochs, which may take longer.

        Example:
            >>> Costs(1.0, 2.0, 0.0, 5.0).fitting_epochs(60, every=10)
            45
        """
        most = max(int((seconds - self.results) / self.epoch), least)
        fitting = (
            epochs
            for epochs in range(most, least, -1)
            if self.seconds(epochs, every or validation_interval(epochs)) <= seconds
        )
        return next(fitting, least)
