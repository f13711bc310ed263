"""What is measured: one configuration, and the sets of them that make a run."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

from keras_cvae.model.presets import PRESETS, WIDTHS

TASKS = ("train_free", "train_forced", "rollout", "first_step", "loader")
# On a GPU float32 is without TF32; "tf32" is the same model with it.
PRECISIONS = {
    "cpu": ("float32", "mixed_bfloat16"),
    "gpu": ("float32", "tf32", "mixed_bfloat16"),
}
COUNTED = ("train_free", "train_forced", "rollout")  # whose operations are counted
PLAIN, OURS = "plain", "ours"
EXPORTS = {"onnx": "torch", "tf_saved_model": "tensorflow"}  # and the backend that writes them
BASELINE = "lab"  # the preset that the plain loop implements
ROLLOUT_BATCHES = (1, 8)
# On a GPU, JAX compiles a step of `lab` for minutes, and each process takes seconds to start.
QUICK_BACKENDS = {"cpu": ("torch", "tensorflow"), "gpu": ("torch",)}
_QUICK_PRECISIONS = {"cpu": PRECISIONS["cpu"], "gpu": ("float32", "tf32")}
_QUICK_ROLLOUT = {"cpu": 61, "gpu": 301}  # frames


@dataclasses.dataclass(frozen=True)
class Case:
    """One configuration, measured in one process.

    Args:
        task: one of `TASKS`.
        implementation: `"plain"`, `"ours"`, or the format that our model is exported to.
        preset: its name; `"lab"` for the plain loop.
        backend: the Keras backend, for an export the one that writes it; `"torch"` for the plain
            loop.
        precision: one of those of the device in `PRECISIONS`.
        batch: clips in a step, or videos that are predicted at once.
        clip_length: frames of a clip or video, the given one included.
        height, width: the frame size in pixels.
        widths: the four widths that replace the preset's, or `None`.
        rematerialise: whether activations are computed again for the gradient.
        device: `"cpu"` or `"gpu"`.
    """

    task: str
    implementation: str
    preset: str
    backend: str
    precision: str
    batch: int
    clip_length: int
    height: int
    width: int
    widths: tuple[int, int, int, int] | None = None
    rematerialise: bool = False
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Its name in messages."""
        model = self.implementation if self.implementation == PLAIN else self.preset
        runs_on = self.implementation if self.implementation in EXPORTS else self.backend
        return f"{self.task} {model} {runs_on} {self.precision} batch {self.batch}"

    @property
    def dtype(self) -> str:
        """The precision as a dtype policy of Keras."""
        return "float32" if self.precision == "tf32" else self.precision

    def width_arguments(self) -> dict:
        """The widths as constructor arguments of a model."""
        if self.widths is None:
            return {name: PRESETS[self.preset][name] for name in WIDTHS}
        return dict(zip(WIDTHS, self.widths, strict=True))


def make_cases(
    tasks: Iterable[str] = TASKS,
    presets: Sequence[str] = (BASELINE, "multiscale"),
    backends: Sequence[str] = ("torch",),
    precisions: Sequence[str] = PRECISIONS["cpu"],
    batch: int = 2,
    clip_length: int = 16,
    frame_size: tuple[int, int] = (32, 64),
    rollout_frames: int = 630,
    widths: tuple[int, int, int, int] | None = None,
    exports: Sequence[str] = (),
    device: str = "cpu",
) -> list[Case]:
    """The plain loop and every combination of the settings, task by task.

    A rollout of B videos at once has 1 / B of the frames: the same work at every batch, at a rate
    that does not depend on the number of frames. The loader has no counterpart in the plain loop
    and is the same in every precision.

    Args:
        tasks, presets, backends, precisions: names.
        batch: clips in a training step; rollouts are at the batches `ROLLOUT_BATCHES`.
        clip_length: frames of a training clip.
        frame_size: (height, width).
        rollout_frames: frames of a rollout at batch 1, the given one included.
        widths: the four widths that replace those of every preset and of the plain loop, or `None`.
        exports: formats, keys of `EXPORTS`: the rollouts of every preset, exported to each, in
            float32.
        device: `"cpu"` or `"gpu"`.

    Returns:
        list of `Case`.
    """
    cases = []
    for task in tasks:
        for size in ROLLOUT_BATCHES if task == "rollout" else (batch,):
            frames = clip_length
            if task == "rollout":
                frames = 1 + math.ceil((rollout_frames - 1) / size)
            shape = (size, frames, *frame_size, widths)
            if task != "loader":
                cases.append(Case(task, PLAIN, BASELINE, "torch", "float32", *shape))
            for preset in presets:
                for backend in backends:
                    for precision in precisions if task != "loader" else ("float32",):
                        cases.append(Case(task, OURS, preset, backend, precision, *shape))
                if task == "rollout":
                    for name in exports:
                        cases.append(Case(task, name, preset, EXPORTS[name], "float32", *shape))
    return [dataclasses.replace(case, device=device) for case in cases]


def quick_cases(
    backends: Iterable[str],
    batch: int = 2,
    clip_length: int = 16,
    frame_size: tuple[int, int] = (32, 64),
    widths: tuple[int, int, int, int] | None = None,
    device: str = "cpu",
) -> list[Case]:
    """Free-running training of `lab`, one row of `multiscale` and one short rollout.

    Args:
        backends: names, of which those of `QUICK_BACKENDS` are taken.
        batch, clip_length, frame_size, widths, device: as in `make_cases`.

    Returns:
        list of `Case`.
    """
    backends = [name for name in QUICK_BACKENDS[device] if name in backends]
    rest: dict[str, Any] = {"widths": widths, "device": device}

    def training(preset, backends, precisions):
        shape = (batch, clip_length, frame_size)
        return make_cases(["train_free"], [preset], backends, precisions, *shape, **rest)

    cases = training(BASELINE, backends, _QUICK_PRECISIONS[device])
    (fast,) = (
        case
        for case in training("multiscale", backends[:1], ["float32"])
        if case.implementation == OURS
    )
    rollout = make_cases(
        ["rollout"],
        [BASELINE],
        backends[:1],
        ["float32"],
        frame_size=frame_size,
        rollout_frames=_QUICK_ROLLOUT[device],
        **rest,
    )
    return [*cases, fast, *(case for case in rollout if case.batch == ROLLOUT_BATCHES[0])]


def comparable(cases: Iterable[Case]) -> list[list[Case]]:
    """Groups of cases of the same task and batch, which are measured together.

    Returns:
        list of lists, each in the given order with the plain loop first.
    """
    groups: dict[tuple, list[Case]] = {}
    for case in cases:
        groups.setdefault((case.task, case.batch), []).append(case)
    return [
        sorted(group, key=lambda case: case.implementation != PLAIN) for group in groups.values()
    ]
