"""What the scripts share: errors as one line, the backend, the settings on top."""

import argparse
import contextlib
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from keras_cvae import distribution, runs, signals
from keras_cvae.backend.choice import choose_backend
from keras_cvae.backend.exchange import FirstFailed, lost_line
from keras_cvae.backend.gpus import DEVICES, choose_device, gpu_count, without_gpu
from keras_cvae.backend.memory import out_of_memory
from keras_cvae.backend.process import launched, process
from keras_cvae.backend.xla import compile_faster
from keras_cvae.errors import UserError, first_line

_QUIET = {
    # What TensorFlow logs at its start would bury ours; what fails still raises.
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@contextlib.contextmanager
def reported_errors() -> Iterator[None]:
    """Turns what people can mend into one line on stderr, without a traceback.

    A `UserError`, an `OSError` or too little memory ends the script with exit code 2. Ctrl-C ends
    it with 130, SIGTERM with 143 and SIGHUP with 129, after what was being written is removed. Any
    other exception is a fault of the program and shows its traceback. A warning is one line.
    """
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"
    previous = {}
    if threading.current_thread() is threading.main_thread():
        previous = signals.handle(signals.stop)
    try:
        yield
    except FirstFailed:
        end(2)
    except (UserError, OSError) as error:
        say_error(str(error))
        end(2)
    except KeyboardInterrupt as interrupt:
        if process().first:
            print("\nstopped", file=sys.stderr)
        end(signals.exit_code(interrupt))
    except Exception as error:
        if out_of_memory(error):
            say_error(_memory_line(error))
            end(2)
        if process().world_size == 1:
            raise
        traceback.print_exc()
        if line := lost_line():  # it was not our fault
            say_error(line)
        end(1)
    finally:
        signals.restore(previous)


def say_error(line: str) -> None:
    """Prints an error on stderr; of several processes with the one that it is from."""
    here = process()
    print(f"{here}: error: {line}" if here.world_size > 1 else f"error: {line}", file=sys.stderr)


def end(code: int) -> NoReturn:
    """Ends a script that did not finish its work.

    One of several processes ends at once, because Python's own end would wait for the others.

    Args:
        code: the exit code.
    """
    if process().world_size == 1:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _memory_line(error: Exception) -> str:
    text = first_line(error)[:200].rstrip(".")  # PyTorch adds how memory is managed
    return (
        f"not enough memory ({text}). Choose smaller sizes or a smaller batch; training takes a "
        "fraction of the memory with rematerialise (--rematerialise)."
    )


def start_backend(preferred: str | None = None, device: str = "auto") -> str:
    """Chooses the Keras backend, says which, and returns it; call it before Keras is imported.

    Args:
        preferred: the backend to take where KERAS_BACKEND does not say, or `None`.
        device: as of the flag that `add_device` adds.

    Returns:
        str, the backend.

    Raises:
        UserError: if the asked-for backend, every backend, or the asked-for GPU is absent.
    """
    asked = bool(os.environ.get("KERAS_BACKEND"))
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    backend = choose_backend(preferred)
    if backend == "jax":
        compile_faster()
    how = "KERAS_BACKEND" if asked else "installed; set KERAS_BACKEND for another"
    print(f"backend: {backend} ({how})", flush=True)
    if not choose_device(device, backend):
        raise no_gpu(backend)
    return backend


def no_gpu(backend: str) -> UserError:
    """The error of `--device gpu` where the backend sees no GPU."""
    return UserError(f"--device gpu: {without_gpu(backend)}; or leave out --device.")


def print_from_first_alone() -> None:
    """Of several processes that a launcher started, makes all but the first silent on stdout.

    Raises:
        UserError: if the environment does not say which process this is.
    """
    if not launched().first:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the life of the process)
        warnings.simplefilter("ignore")


def start_distribution(asked: str) -> None:
    """Trains on all devices or with all processes from here on, and says on how many.

    Args:
        asked: `"auto"`, or `"off"` for one device.

    Raises:
        UserError: if the processes or the environment are not for the backend.
    """
    import keras

    from keras_cvae.backend.batch_share import parts_of_batch

    if asked == "off":
        if launched().world_size > 1:
            raise UserError(
                f"--distribute off, and {launched().world_size} processes were started: each would "
                "train by itself. Start one process, or leave --distribute out."
            )
        return
    here = distribution.start()
    if (parts := parts_of_batch()) > 1:
        kind = "processes" if here.world_size > 1 else "devices"
        print(f"{parts} {kind}, each with an equal part of every batch", flush=True)
    elif keras.backend.backend() == "torch" and (gpus := gpu_count("torch")) > 1:
        print(
            f"{gpus} GPUs, and one is used; all are with: torchrun --nproc-per-node {gpus} "
            "scripts/train.py ...",
            flush=True,
        )


def check_out(path: str | os.PathLike) -> None:
    """Checks that there is nothing at the path of `--out`.

    Raises:
        UserError: if there is; it says how to go on with a run that is there.
    """
    if os.path.lexists(path):
        go_on = f"; the run in it goes on with: python scripts/train.py --resume {path}"
        raise UserError(
            f"{path} exists, and results are never overwritten. Give another --out"
            f"{go_on if runs.is_run(path) else '.'}"
        )


def show(values: Mapping[str, object]) -> None:
    """Prints settings, one a line, aligned."""
    width = max(map(len, values))
    for name, value in values.items():
        print(f"  {name:{width}}  {value}")
    sys.stdout.flush()


def add_device(parser: Any) -> None:
    """Adds `--device` to a parser, or a group of one; for scripts that compute with Keras."""
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help="(auto: a GPU if the backend sees one; gpu makes it an error if there is none)",
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Adds `--trust`, for scripts that load a model in any format."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="load a .pt2 or SavedModel, whose files can run any code: only from people you trust",
    )


def add_frame_size(parser: argparse.ArgumentParser, help: str, **options: Any) -> None:
    """Adds the flag `--frame-size HEIGHT WIDTH`."""
    metavar = ("HEIGHT", "WIDTH")
    parser.add_argument("--frame-size", type=int, nargs=2, metavar=metavar, help=help, **options)


def add_video_source(parser: Any, several: bool = False) -> None:
    """Adds the flags that say whose poses are taken from which video.

    Args:
        parser: an argument parser, or a group of one.
        several: whether several videos may be given.
    """
    many: dict[str, Any] = {"nargs": "+"} if several else {}
    parser.add_argument(
        "--video", metavar="FILE", type=Path, help="video, or folder of numbered images", **many
    )
    parser.add_argument(
        "--keypoints",
        metavar="FILE",
        type=Path,
        help="joints by another tool: folder of OpenPose JSON, JSON of AlphaPose, MMPose or "
        "MediaPipe, or an .npz; without it they are estimated",
        **many,
    )
    parser.add_argument(
        "--person",
        metavar="WHO",
        help="largest, left, right, or a number counted from the left; asked for where several "
        "people are there",
    )
    parser.add_argument(
        "--fps", type=float, help="frames per second to take (those of the video, at most 30)"
    )
    parser.add_argument("--start", type=float, default=0.0, metavar="SECONDS", help="(0)")
    parser.add_argument("--end", type=float, metavar="SECONDS", help="(the video's)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many frames (all)")
    parser.add_argument(
        "--pose-models",
        type=Path,
        metavar="FOLDER",
        help="of the pose estimator's two files (downloaded once, 36 MB)",
    )
