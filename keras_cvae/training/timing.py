"""How long the parts of a run take, measured with its own model and data before it begins."""

import contextlib
import copy
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cvae import plots, runs
from keras_cvae.data.clips import Clips
from keras_cvae.data.videos import Video
from keras_cvae.evaluation.files import GIF_FRAMES
from keras_cvae.evaluation.rollouts import predict_videos
from keras_cvae.model.cvae import CVAE
from keras_cvae.schedules import teacher_forcing_ratio
from keras_cvae.training.budget import Costs
from keras_cvae.training.config import TrainingConfig
from keras_cvae.training.data import RunData
from keras_cvae.video import side_by_side, write_video

DROPPED, TIMED = 2, 10  # training steps: the first ones compile or record
PREDICTED, SHOWN = 48, 24  # frames of the short validation, and of its GIF
_GIF_OF_ROLLOUT = 121  # frames, at most
_PASSES = 4  # predictions of val at the end: two temperatures, the posterior and its rollout
_FIGURES = 5  # at the end


def measure(model: CVAE, data: RunData, config: TrainingConfig) -> Costs:
    """Trains a few steps, makes a short validation, and takes everything back.

    Afterwards weights, optimiser, random state and metrics of the model and the clips are as
    before, bit by bit, and what was compiled stays compiled. Keras' global random state, which
    initial weights follow, is not.

    Args:
        model: of the run, compiled, before its first step.
        data: of the run.
        config: of the run.

    Returns:
        `Costs`. Where only some batches are teacher-forced, those are free, which take longer.
    """
    with unchanged(model), tempfile.TemporaryDirectory() as folder:
        last = teacher_forcing_ratio(config.epochs - 1, **config.forcing_schedule())
        model.teacher_forcing_ratio.assign(1.0 if last == 1 else 0.0)
        compiling, step = _steps(model, data.clips)
        save = _seconds(lambda: model.save(Path(folder) / "last.keras"))
        first, frame, gif = _validation(model, data.videos["val"][0], Path(folder))
        figure = _figure(Path(folder))
    val, test = data.videos["val"], data.videos["test"]
    shown_at_end = sum(min(len(videos[0].poses), GIF_FRAMES) for videos in (val, test) if videos)
    rolled_out = min(len(val[0].poses), _GIF_OF_ROLLOUT)
    return Costs(
        epoch=len(data.clips) * step + save,
        validation=frame * _frames(val) + gif * rolled_out + figure + save,
        rollout=(frame + gif) * rolled_out,
        results=frame * (_PASSES * _frames(val) + _frames(test))
        + gif * shown_at_end
        + figure * _FIGURES
        + first,
        again=compiling + first,
    )


@contextlib.contextmanager
def unchanged(model: CVAE) -> Iterator[None]:
    """Gives a compiled model every variable back that it had before: also those of its optimiser.

    Args:
        model: whatever is done with it inside.
    """
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    variables = list({id(each): each for each in [*variables, model.rng.state]}.values())
    # Copies: an array of some backends is a view of the variable, whose memory is used again.
    values = [np.array(keras.ops.convert_to_numpy(each)) for each in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


class _Clock(keras.callbacks.Callback):
    """Notes the times after the dropped steps and after the timed ones, and ends training."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.steps in (DROPPED, DROPPED + TIMED):
            float(logs["loss"])  # waits for the device
            self.times.append(time.monotonic())
        if len(self.times) == 2:
            self.model.stop_training = True


def _steps(model: CVAE, clips: Clips) -> tuple[float, float]:
    """Seconds of compiling, and of a step."""
    clock, began = _Clock(), time.monotonic()
    epochs = -(-(DROPPED + TIMED) // len(clips))
    # A copy: `fit` counts the epochs of the clips.
    model.fit(copy.copy(clips), epochs=epochs, shuffle=False, verbose=0, callbacks=[clock])
    first, last = clock.times
    step = (last - first) / TIMED
    return max(first - began - DROPPED * step, 0.0), step


def _validation(model: CVAE, video: Video, folder: Path) -> tuple[float, float, float]:
    """Seconds that the first prediction takes longer, of a frame, and of a frame of a GIF."""
    predictions: list[np.ndarray] = []

    def predict() -> None:
        predictions[:] = predict_videos(model, [video], max_frames=PREDICTED)

    first, again = _seconds(predict), _seconds(predict)
    shown = slice(min(len(predictions[0]), SHOWN))
    panels = side_by_side(video.frames[shown], predictions[0][shown], video.poses[shown])
    gif = _seconds(lambda: write_video(folder / "rollout.gif", panels))
    return max(first - again, 0.0), again / (len(predictions[0]) - 1), gif / len(panels)


def _figure(folder: Path) -> float:
    """Seconds of drawing the curves; the first time, what they are drawn with is loaded."""
    history = {name: [1.0, 2.0] for name in runs.HISTORY_COLUMNS}
    first, again = (
        _seconds(lambda name=name: plots.plot_history(history, folder / name))  # type: ignore[misc]
        for name in ("first.png", "curves.png")
    )
    return min(first, again)


def _frames(videos: Sequence[Video]) -> int:
    return sum(len(video.poses) - 1 for video in videos)


def _seconds(function: Callable[[], Any]) -> float:
    began = time.monotonic()
    function()
    return time.monotonic() - began
