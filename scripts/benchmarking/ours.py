"""Our models as something to measure, on the backend that this process runs on."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarking import inputs
from benchmarking.cases import BASELINE, Case
from benchmarking.machine import resident_mb
from keras_cvae import CVAE
from keras_cvae.data import Clips
from keras_cvae.exporting.exporter import export
from keras_cvae.exporting.formats import FORMATS
from keras_cvae.images import scaled
from keras_cvae.inference import load_predictor

WEIGHTS = "lab.weights.h5"


def build_model(case: Case, folder: Path | None = None) -> CVAE:
    """The compiled model of a case, at default settings except for the recipe.

    `lab` has the published recipe and the plain loop's weights, other presets the recommended
    recipe and initial weights. The optimiser is the published one for all.

    Args:
        case: what is measured.
        folder: with the weights that `prepare` wrote; `None` leaves the initial ones.

    Returns:
        `CVAE`.
    """
    published = case.preset == BASELINE
    keras.utils.set_random_seed(0)
    model = CVAE.from_preset(
        case.preset,
        "published" if published else "recommended",
        **case.width_arguments(),
        rematerialise=case.rematerialise,
        dtype=case.dtype,
        seed=0,
    )
    model.architecture.check_frame_size((case.height, case.width))
    if published and folder is not None:
        model.load_weights(folder / WEIGHTS)
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    return model


class Training:
    """Training steps. `step()` makes one and returns the number of predicted frames.

    Args:
        case: what is measured.
        folder: with the weights that `prepare` wrote, or `None`.
        pieces: not used; a step of training has no pieces.
    """

    def __init__(self, case: Case, folder: Path | None = None, pieces: int = 1):
        self.model = build_model(case, folder)
        # The first step of the task first_step rolls out freely, and traces both branches.
        self.model.teacher_forcing_ratio.assign(float(case.task == "train_forced"))
        latent_shape = self.model.latent_shape((case.height, case.width))
        self.batch = inputs.training_batch(case, latent_shape)
        self.predicted = case.batch * (case.clip_length - 1)
        self.loss: float | None = None

    def step(self) -> int:
        # The logs are numbers: when they are there, the step is finished on every backend.
        self.loss = float(self.model.train_on_batch(self.batch, return_dict=True)["loss"])
        return self.predicted


class Rollout:
    """Prediction, one piece of the video per step; see `Training` for the arguments.

    Args:
        pieces: the number of steps that predict the video once.
    """

    def __init__(self, case: Case, folder: Path | None = None, pieces: int = 1):
        self.model: Any = build_model(case, folder)  # or a `Predictor`
        first, poses = inputs.video(case)
        self.frame = scaled(first)
        self.pieces = inputs.Pieces(poses, pieces)
        self.loss: float | None = None

    def warm_up(self) -> None:
        # A whole piece: TensorFlow and JAX compile the loop for its length.
        self._predict(self.pieces.poses[:, : self.pieces.length + 1])

    def step(self) -> int:
        video = self._predict(self.pieces.next())
        self.frame = video[:, -1].clip(0, 1)  # given frames lie in [0, 1]
        return video.shape[0] * (video.shape[1] - 1)

    def _predict(self, poses: np.ndarray) -> np.ndarray:
        return self.model.predict_video(self.frame, poses, temperature=1.0)


class ExportedRollout(Rollout):
    """Prediction by the model exported to the case's format, with the runtime of that format."""

    def __init__(self, case: Case, folder: Path | None = None, pieces: int = 1):
        super().__init__(case, folder, pieces)
        format = case.implementation
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / f"model{FORMATS[format].suffix}"
            export(self.model, path, format, (case.height, case.width))
            self.model = load_predictor(path, trust=True)


class Loader:
    """The batches of an epoch, one after another, as training gets them; see `Training`."""

    def __init__(self, case: Case):
        self.clips = Clips(
            inputs.long_video(case), clip_length=case.clip_length, batch_size=case.batch
        )
        self.predicted = case.batch * (case.clip_length - 1)
        self.index = 0
        self.loss: float | None = None

    def step(self) -> int:
        self.clips[self.index]
        self.index += 1
        if self.index == len(self.clips):
            self.index = 0
            self.clips.on_epoch_end()
        return self.predicted


def stream_memory(case: Case, every: int) -> list[tuple[int, float | None]]:
    """Resident memory while a long video is predicted frame by frame and no frame is kept.

    Args:
        case: what is measured; its `clip_length` is the number of frames.
        every: frames between two readings.

    Returns:
        list of pairs (frame number, MB).
    """
    model = build_model(case)
    rng = np.random.default_rng(0)
    frame, pose = (
        rng.integers(0, 256, (case.batch, case.height, case.width, 3), dtype=np.uint8)
        for _ in range(2)
    )
    # One pose, repeated without a copy: the input takes no memory either.
    shape = (case.batch, case.clip_length, case.height, case.width, 3)
    poses = np.broadcast_to(pose[:, None], shape)
    readings: list[tuple[int, float | None]] = []
    for number, _ in enumerate(model.stream_video(frame, poses, temperature=1.0), start=1):
        if number % every == 0 or number == 1:
            readings.append((number, resident_mb()))
    return readings
