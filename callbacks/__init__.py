"""Callbacks for `model.fit`, shipped as `keras_cvae.callbacks`; each can be used alone."""

import importlib
from typing import Any

_HOME = {
    "EpochReport": "epoch_report",
    "KLAnnealing": "kl_annealing",
    "NaNGuard": "nan_guard",
    "RolloutVideo": "rollout_video",
    "StopOnInterrupt": "stop_on_interrupt",
    "TeacherForcing": "teacher_forcing",
    "TensorBoardLogs": "tensorboard_logs",
    "TrainingState": "training_state",
    "ValidationPSNR": "validation_psnr",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
