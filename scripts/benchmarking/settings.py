"""The settings of a benchmark: what is measured, from the flags and what is installed."""

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarking import cases
from benchmarking.process import Worker
from keras_cvae import cli
from keras_cvae.backend.choice import BACKENDS
from keras_cvae.errors import UserError
from keras_cvae.exporting.formats import FORMATS

LOOP = Path(__file__).resolve().parents[2] / "tests" / "reference_torch.py"
DEFAULTS = {"repeats": 5, "batch_size": 2, "clip_length": 16, "frame_size": (32, 64)}
LONG_VIDEO = 10_001  # frames of the prediction whose memory --sizes measures


def resolve(options: argparse.Namespace) -> dict:
    """All settings with their defaults, as they are printed on top.

    Raises:
        UserError: for settings that do not go together or cannot be measured here.
    """
    fixed = {"quick": ("presets", "precisions", "tasks", "rollout_frames"), "sizes": ("tasks",)}
    for mode, flags in fixed.items():
        refused = [flag for flag in flags if getattr(options, mode) and getattr(options, flag)]
        if refused:
            names = " ".join(f"--{flag.replace('_', '-')}" for flag in refused)
            raise UserError(f"--{mode} has its own cases; leave out {names}.")
    if options.plot and not options.sizes:
        raise UserError("--plot draws what --sizes measures; give --sizes, or leave it out.")
    if options.plot and options.plot.suffix.lower() != ".png":
        raise UserError(f"--plot writes a PNG; got {options.plot}. Give a name that ends in .png.")
    _check_numbers(options)
    device, known = options.device, cases.PRECISIONS[options.device]
    if wrong := [name for name in options.precisions or () if name not in known]:
        raise UserError(
            f"--precisions {wrong[0]} is arithmetic of GPUs, and this is --device {device}. Give "
            f"--device gpu, or of the precisions {' '.join(known)}."
        )
    backends, gpu = _backends(options)
    settings: dict[str, Any] = {
        "device": device,
        **({"gpu": gpu} if gpu else {}),
        "presets": options.presets or ["lab", "multiscale"],
        "backends": backends,
        "precisions": options.precisions or list(known),
        "tasks": options.tasks or list(cases.TASKS),
        "rollout_frames": options.rollout_frames or 630,
        "exports": _exports(backends) if device == "cpu" else [],
        **{name: getattr(options, name) or default for name, default in DEFAULTS.items()},
    }
    if options.quick:
        settings["repeats"] = options.repeats or 3
        for own in ("presets", "precisions", "tasks", "rollout_frames", "exports"):
            del settings[own]
    if options.sizes:
        settings["presets"] = options.presets or ["multiscale"]
        settings["precisions"] = options.precisions or ["float32"]
        settings["backends"] = settings["backends"] if options.backends else backends[:1]
        settings["rollout_frames"] = options.rollout_frames or LONG_VIDEO
        del settings["tasks"], settings["exports"]
        for name in ("presets", "backends", "precisions"):
            if len(settings[name]) > 1:
                raise UserError(f"--sizes measures one; got --{name} {' '.join(settings[name])}.")
    else:
        _check_plain_loop()
        if gpu and "torch" not in backends and not gpu_of("torch"):
            raise cli.no_gpu("torch")  # which the plain loop needs
    return settings


def _backends(options: argparse.Namespace) -> tuple[list[str], str | None]:
    """The backends to measure, and the name of the GPU that they see on the device `gpu`."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    backends = list(dict.fromkeys(options.backends or installed))
    if missing := [name for name in backends if name not in installed]:
        raise UserError(
            f"{missing[0]} is not installed. Install it with pip install "
            f"'keras_cvae[{missing[0]}]', or leave it out of --backends."
        )
    if options.quick:
        backends = [name for name in backends if name in cases.QUICK_BACKENDS[options.device]]
    if not backends:
        raise UserError("None of the backends to measure is installed: give other --backends.")
    if options.device == "cpu":
        return backends, None
    gpus = {name: gpu_of(name) for name in backends}
    seeing = [name for name in backends if gpus[name]]
    if blind := [name for name in backends if not gpus[name] and (options.backends or not seeing)]:
        raise cli.no_gpu(blind[0])
    return seeing, gpus[seeing[0]]


def gpu_of(backend: str) -> str | None:
    """The name of the GPU that a backend sees, asked for in a process of its own, or `None`."""
    with Worker(backend, "gpu") as worker:
        return worker.ask("gpu")["gpu"]


def _exports(backends: Sequence[str]) -> list[str]:
    """The formats that the backends to measure can write and whose runtime is installed."""
    formats = []
    for name, backend in cases.EXPORTS.items():
        needed = FORMATS[name].needs[backend]
        if backend in backends and all(importlib.util.find_spec(package) for package in needed):
            formats.append(name)
    return formats


def _check_plain_loop() -> None:
    if not LOOP.is_file():
        raise UserError(
            f"The plain PyTorch loop to compare with is part of the checkout: {LOOP} is missing. "
            "Run scripts/benchmark.py of a checkout, or measure with --sizes, which needs no loop."
        )
    if not importlib.util.find_spec("torch"):
        raise UserError(
            "The plain loop to compare with needs PyTorch, which is not installed. Install it with "
            "pip install 'keras_cvae[torch]', or measure with --sizes, which needs no loop."
        )


def _check_numbers(options: argparse.Namespace) -> None:
    for name, low in (
        ("repeats", 1),
        ("batch_size", 1),
        ("clip_length", 2),
        ("rollout_frames", 2),
    ):
        value = getattr(options, name)
        if value is not None and value < low:
            raise UserError(f"--{name.replace('_', '-')} must be at least {low}; got {value}.")
    if options.frame_size and min(options.frame_size) < 4:
        raise UserError(f"--frame-size must be at least 4 4; got {options.frame_size}.")
