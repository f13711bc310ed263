"""The parent's end of a worker: start it, ask, end it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras_cvae

# A CPU benchmark: an accelerator that only some of the libraries find would decide every ratio.
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_LOG_END = 4000  # characters


class WorkerFailed(ValueError):
    """A worker could not do what it was asked, or has died."""


class Worker:
    """A process with `benchmarking.worker` in it; a context that ends it.

    Threads keep the settings that the libraries give them: what is measured is what users get.
    OpenMP's threads wait actively for some milliseconds after their work and then sleep; the
    parent's pause between two repeats is longer.

    Args:
        backend: str, the Keras backend there.
    """

    def __init__(self, backend):
        root = str(Path(keras_cvae.__file__).parents[1])
        known = os.environ.get("PYTHONPATH")
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (closed by `close`)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarking.worker"],
            env={
                **os.environ,
                **_ENVIRONMENT,
                "KERAS_BACKEND": backend,
                "PYTHONPATH": os.pathsep.join([root, known] if known else [root]),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # Ctrl-C is the parent's: it ends the workers in order
        )

    def ask(self, call, **arguments):
        """Has a function of `benchmarking.worker.Calls` called, and waits for the reply.

        Returns:
            dict, the reply.

        Raises:
            WorkerFailed: with what the worker said last.
        """
        try:
            self._process.stdin.write(json.dumps({"call": call, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self._last_words()) from None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(self._last_words())
        reply = json.loads(line)
        if "error" in reply:
            raise WorkerFailed(reply["error"])
        return reply

    def close(self):
        """Ends the process; it has nothing to lose."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _last_words(self):
        code = self._process.wait()
        if code == -9:
            return "the process was killed, probably because memory ran out"
        self._log.seek(0)
        lines = self._log.read()[-_LOG_END:].strip().splitlines()
        return f"the process ended with code {code}: {lines[-1] if lines else 'it said nothing'}"
