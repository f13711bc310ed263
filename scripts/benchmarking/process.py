"""The parent's end of a worker: start it, ask it, end it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras_cvae
from keras_cvae.backend.gpus import CPU_ALONE
from keras_cvae.errors import UserError

# The worker imports `benchmarking`, and the package that this process has imported.
_PATH = (Path(__file__).parents[1], Path(keras_cvae.__file__).parents[1])
# On the CPU an accelerator that only some of the libraries find would decide every ratio. On the
# GPU several processes are alive at once: none may take all its memory at the start.
_ENVIRONMENT = {
    "cpu": CPU_ALONE,
    "gpu": {
        "KERAS_TORCH_DEVICE": "cuda",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    },
}
_LOG_END = 4000  # characters


class WorkerFailed(Exception):
    """A worker could not do what it was asked, or has died."""


class WorkerUserError(WorkerFailed, UserError):
    """The same, where the user can mend it: wrong sizes, a missing package, too little memory."""


class Worker:
    """A process that runs `benchmarking.worker`; a context that ends it.

    Threads keep the settings that the libraries give them: what is measured is what users get.
    OpenMP's threads wait actively for some milliseconds after their work and then sleep; the
    parent's pause between two repeats is longer.

    Args:
        backend: the Keras backend of the process.
        device: `"cpu"`, from where no GPU is seen, or `"gpu"`.
    """

    def __init__(self, backend: str, device: str = "cpu"):
        known = os.environ.get("PYTHONPATH")
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (closed by `close`)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarking.worker"],
            env={
                **os.environ,
                **_ENVIRONMENT[device],
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "KERAS_BACKEND": backend,
                "PYTHONPATH": os.pathsep.join([*map(str, _PATH), *([known] if known else [])]),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # Ctrl-C goes to the parent alone, which ends the workers
        )
        assert self._process.stdin and self._process.stdout
        self._requests, self._replies = self._process.stdin, self._process.stdout

    def ask(self, call: str, **arguments: Any) -> dict:
        """Calls a function of `benchmarking.worker.Calls` in the process and waits for the reply.

        Args:
            call: the name of the function.
            **arguments: its arguments, plain values.

        Returns:
            dict, the reply.

        Raises:
            WorkerFailed: with the error of the function, or the last line that the process wrote.
        """
        try:
            self._requests.write(json.dumps({"call": call, **arguments}) + "\n")
            self._requests.flush()
        except BrokenPipeError:
            raise self._death() from None
        line = self._replies.readline()
        if not line:
            raise self._death()
        reply = json.loads(line)
        if "error" in reply:
            if reply["user_error"]:
                raise WorkerUserError(reply["error"])
            error = WorkerFailed(reply["error"])
            error.add_note(f"In the worker:\n{reply['traceback']}")
            raise error
        return reply

    def close(self) -> None:
        """Ends the process. There is nothing in it to save."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._replies, self._log):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _death(self) -> WorkerFailed:
        """Why the process has ended, as the error to raise."""
        code = self._process.wait()
        if code == -9:
            return WorkerUserError("the process was killed, probably because memory ran out")
        self._log.seek(0)
        lines = self._log.read()[-_LOG_END:].strip().splitlines()
        last = lines[-1] if lines else "it printed nothing"
        return WorkerFailed(f"the process ended with code {code}: {last}")
