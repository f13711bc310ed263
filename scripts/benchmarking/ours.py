"""Our models as something to measure, on the backend that this process runs on."""

import tempfile
from pathlib import Path

import keras
import numpy as np

from benchmarking import inputs
from benchmarking.cases import BASELINE
from benchmarking.machine import resident_mb
from keras_cvae import CVAE
from keras_cvae.data import Clips
from keras_cvae.exporting.exporter import export
from keras_cvae.exporting.formats import FORMATS
from keras_cvae.inference import load_predictor

WEIGHTS = "lab.weights.h5"


def build_model(case, folder=None):
    """The compiled model of a case, at default settings but for the recipe.

    `lab` has the published recipe and the plain loop's weights, other presets the recommended
    recipe and weights of their own. The optimiser is the published one for all.

    Args:
        case: `Case`.
        folder: `Path` with the weights that `prepare` wrote; `None` leaves the initial ones.

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
        dtype=case.precision,
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
        case: `Case`.
        folder: `Path` with the weights that `prepare` wrote, or `None`.
        pieces: not used; a step is a step.
    """

    def __init__(self, case, folder=None, pieces=1):
        self.model = build_model(case, folder)
        # The first step of the task first_step rolls out freely, and traces both branches.
        self.model.teacher_forcing_ratio.assign(float(case.task == "train_forced"))
        latent_shape = self.model.latent_shape((case.height, case.width))
        self.batch = inputs.training_batch(case, latent_shape)
        self.predicted = case.batch * (case.clip_length - 1)
        self.loss = None

    def step(self):
        # The logs are numbers: when they are there, the step is finished on every backend.
        self.loss = float(self.model.train_on_batch(self.batch, return_dict=True)["loss"])
        return self.predicted


class Rollout:
    """Prediction, a piece of the video a step; see `Training` for the arguments.

    Args:
        pieces: int, steps in which the video is predicted once.
    """

    def __init__(self, case, folder=None, pieces=1):
        self.model = build_model(case, folder)
        first, poses = inputs.video(case)
        self.frame = first.astype("float32") / np.float32(255)
        self.pieces = inputs.Pieces(poses, pieces)
        self.loss = None

    def warm_up(self):
        self._predict(self.pieces.poses[:, : min(self.pieces.length, 16) + 1])

    def step(self):
        video = self._predict(self.pieces.next())
        self.frame = video[:, -1].clip(0, 1)  # given frames lie in [0, 1]
        return video.shape[0] * (video.shape[1] - 1)

    def _predict(self, poses):
        return self.model.predict_video(self.frame, poses, temperature=1.0)


class ExportedRollout(Rollout):
    """The same, by the model exported in the case's format, with the runtime of that format."""

    def __init__(self, case, folder=None, pieces=1):
        super().__init__(case, folder, pieces)
        format = case.implementation
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / f"model{FORMATS[format].suffix}"
            export(self.model, path, format, (case.height, case.width))
            self.model = load_predictor(path)


class Loader:
    """Batches of an epoch, each served as training asks for it; see `Training`."""

    def __init__(self, case, folder=None, pieces=1):
        self.clips = Clips(
            inputs.long_video(case), clip_length=case.clip_length, batch_size=case.batch
        )
        self.predicted = case.batch * (case.clip_length - 1)
        self.index = 0
        self.loss = None

    def step(self):
        self.clips[self.index]
        self.index += 1
        if self.index == len(self.clips):
            self.index = 0
            self.clips.on_epoch_end()
        return self.predicted


def stream_memory(case, every):
    """Resident memory while a long video is predicted frame by frame and nothing of it is kept.

    Args:
        case: `Case`, whose `clip_length` is the number of frames.
        every: int, frames between two readings.

    Returns:
        list of pairs (frame number, MB).
    """
    model = build_model(case)
    rng = np.random.default_rng(0)
    frame, pose = (
        rng.integers(0, 256, (case.batch, case.height, case.width, 3), dtype=np.uint8)
        for _ in range(2)
    )
    # One pose, seen many times: the video that comes in takes no memory either.
    shape = (case.batch, case.clip_length, case.height, case.width, 3)
    poses = np.broadcast_to(pose[:, None], shape)
    readings = []
    for number, _ in enumerate(model.stream_video(frame, poses, temperature=1.0), start=1):
        if number % every == 0 or number == 1:
            readings.append((number, resident_mb()))
    return readings
