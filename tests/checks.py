"""What tests share: other backends in processes of their own, weights, and checks of layers."""

import atexit
import importlib.metadata
import importlib.util
import json
import os
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden"
ABSENT = TESTS / "absent"  # first on the path, it makes TensorFlow absent, and PyTorch exact
BACKENDS = ("torch", "tensorflow", "jax")
TINY = {"frame_features": 16, "pose_features": 8, "latent_maps": 4, "decoder_features": 24}
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}  # variables of a process
needs_av = pytest.mark.skipif(not importlib.util.find_spec("av"), reason="PyAV is not installed")
TINIEST = {"frame_features": 8, "pose_features": 2, "latent_maps": 4, "decoder_features": 8}


# --- other processes ---------------------------------------------------------------------------


def installed_backends():
    return [name for name in BACKENDS if importlib.util.find_spec(name)]


def repeat_on_a_gpu():
    """Makes PyTorch compute the same numbers each time on a GPU too, as it does on a CPU.

    No variable of the environment does that: in other processes it is `absent/sitecustomize.py`.
    """
    if os.environ["KERAS_BACKEND"] != "torch":
        return
    import torch

    if torch.cuda.is_available():
        torch.backends.cudnn.deterministic = True
        os.environ["KERAS_CVAE_TESTS_REPEAT"] = "1"


def jax_has_a_plugin():
    """Whether JAX is installed for a GPU or TPU."""
    plugins = importlib.metadata.entry_points(group="jax_plugins")
    return bool(plugins or importlib.util.find_spec("libtpu"))


def python_path(*folders):
    """PYTHONPATH of a process: these folders, then those of this process, where Keras may be."""
    return os.pathsep.join(map(str, filter(None, (*folders, os.environ.get("PYTHONPATH")))))


def environment(backend=None, path=(), gpu=True):
    """Variables of a process from which the checkout and `tests` can be imported.

    Args:
        backend: str, KERAS_BACKEND there; `None` leaves it unset.
        path: more folders to import from.
        gpu: bool. `False` hides the GPU, for what is about CPUs.
    """
    found = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    found.pop("XLA_FLAGS", None)
    if not jax_has_a_plugin():  # XLA ends the process at a flag that a version does not know
        # JAX compiles five times as fast.
        found["XLA_FLAGS"] = (
            "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
            "--xla_cpu_use_fusion_emitters=false"
        )
    if not gpu:
        found |= NO_GPU
    found.pop("KERAS_BACKEND", None)
    if backend is not None:
        found["KERAS_BACKEND"] = backend
    absent = [ABSENT] if backend in ("torch", "jax") else []
    found["PYTHONPATH"] = python_path(*absent, TESTS.parent, TESTS, *path)
    return found


def run_command(arguments, variables, timeout=300):
    """Runs Python with arguments in a fresh process.

    Returns:
        `CompletedProcess`, with its output as text.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def run_python(code, *args, backend=None, timeout=300, path=(), check=True, gpu=True):
    """Runs Python code in a fresh process, from which the checkout and `tests` can be imported.

    Args:
        code: str.
        *args: what the code finds in `sys.argv[1:]`.
        backend: str, KERAS_BACKEND there; `None` leaves it unset.
        timeout: seconds.
        path: more folders to import from.
        check: bool, whether a failure of the process is one of the test.
        gpu: bool. `False` hides the GPU.

    Returns:
        str, what it printed (with `check=False` the `CompletedProcess`).
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=environment(backend, path, gpu),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if not check:
        return done
    assert done.returncode == 0, f"on {backend}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def call(function, *args, backend, timeout=300, fresh=False, gpu=True):
    """Calls a function of a test module with strings, in a process on another backend.

    The process serves all calls of a session: starting a backend takes seconds.

    Args:
        function: a function of the top level of a test module.
        *args: its arguments, as strings.
        backend: str.
        timeout: seconds.
        fresh: bool, in a process of its own, for what changes the process.
        gpu: bool. `False`, in a fresh process, hides the GPU.

    Returns:
        str, what it printed.
    """
    path = Path(function.__code__.co_filename)
    if fresh:
        code = f"import sys, {path.stem} as m; m.{function.__name__}(*sys.argv[1:])"
        path = (path.parent,)
        return run_python(code, *args, backend=backend, timeout=timeout, path=path, gpu=gpu)
    assert gpu, "the process that serves all calls has the GPU"
    if backend not in _workers:
        _workers[backend] = subprocess.Popen(
            [sys.executable, TESTS / "backend_worker.py"],
            env=environment(backend),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    worker = _workers[backend]
    request = {"path": str(path), "function": function.__name__, "arguments": [*map(str, args)]}
    print(json.dumps(request), file=worker.stdin, flush=True)
    ready, _, _ = select.select([worker.stdout], [], [], timeout)
    line = worker.stdout.readline() if ready else ""
    if not line:
        _workers.pop(backend).kill()
        raise AssertionError(f"{function.__name__} on {backend}: no reply within {timeout} s")
    reply = json.loads(line)
    assert reply["error"] is None, f"on {backend}:\n{reply['error']}"
    return reply["printed"]


_workers = {}


@atexit.register
def _end_workers():
    for worker in _workers.values():
        worker.kill()


def call_on_each(function, *args, timeout=300, fresh=False):
    """Calls a function on each installed backend, the backend's name being its first argument.

    Two at a time: starting a backend and compiling a step leave a core idle.

    Returns:
        dict backend -> what it printed, or the exception.
    """

    def one(backend):
        try:
            return call(function, backend, *args, backend=backend, timeout=timeout, fresh=fresh)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return error

    backends = installed_backends()
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(backends, pool.map(one, backends), strict=True))


def block_other_backends(backend):
    """Makes the other backends' packages look absent. Call it before Keras is imported."""
    for other in set(BACKENDS) - {backend}:
        sys.modules[other] = None


def forget_poses(monkeypatch):
    """Models are saved as by versions that kept no record of what drew the pose images."""
    from keras_cvae import CVAE

    get_config = CVAE.get_config

    def without(self):
        return {name: value for name, value in get_config(self).items() if name != "poses"}

    monkeypatch.setattr(CVAE, "get_config", without)


# --- arrays and weights ------------------------------------------------------------------------


def channels_last(images):
    """(B, T, C, H, W), as in the golden files, as (B, T, H, W, C)."""
    return np.ascontiguousarray(np.moveaxis(np.asarray(images), 2, -1))


def channels_first(images):
    return np.ascontiguousarray(np.moveaxis(np.asarray(images), -1, 2))


def to_numpy(x):
    from keras import ops

    return np.asarray(ops.convert_to_numpy(ops.stop_gradient(x)))


def rounding(on_a_cpu=0.0):
    """The largest difference of pixels that are predicted in another way from the same numbers.

    On a GPU a convolution of another number of images sums in another order, or by Winograd's
    algorithm.
    """
    from keras_cvae.backend.device import device_name

    return on_a_cpu if device_name() == "CPU" else 5e-5


def relative(a, b):
    """The largest relative difference of two arrays."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-12))


def make_clip(clips=2, frames=4, size=(8, 12), seed=0, eps_maps=None):
    """A batch of uint8 clips with poses, with noise for `eps_maps` latent maps if given."""
    rng = np.random.default_rng(seed)
    shape = (clips, frames, *size, 3)
    batch = {key: rng.integers(0, 256, shape, dtype=np.uint8) for key in ("frames", "poses")}
    if eps_maps:
        noise = rng.standard_normal((clips, frames - 1, *size, eps_maps))
        batch["eps"] = noise.astype("float32")
    return batch


# --- checks of layers --------------------------------------------------------------------------


def check_layer(layer, x, rtol=2e-2):
    """A layer survives its configuration, and computes alike in mixed precision.

    Args:
        layer: a built layer that keeps height and width, float32.
        x: float32 array (n, H, W, C), an input.
        rtol: relative error of bfloat16, of the largest output.
    """
    import keras

    expected = to_numpy(layer(x))
    assert expected.shape == tuple(layer.compute_output_shape(x.shape))
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)  # which builds it
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(to_numpy(again(x)), expected)

    mixed = type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})
    mixed.build(x.shape)
    mixed.set_weights(layer.get_weights())
    assert all(variable.dtype == "float32" for variable in mixed.weights)
    y = mixed(x)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    error = np.abs(to_numpy(keras.ops.cast(y, "float32")) - expected).max()
    assert error <= rtol * np.abs(expected).max()


# --- gradients ---------------------------------------------------------------------------------


def gradients(model, loss):
    """The gradient of a function without arguments that returns a scalar and what else it computed.

    Returns:
        `(value, gradients, aux)`: a float, a list of arrays in the order of the model's trainable
        variables, and the function's second output as tensors.
    """
    import keras

    variables = model.trainable_variables
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        value, aux = loss()
        tensors = [variable.value for variable in variables]
        grads = torch.autograd.grad(value, tensors, allow_unused=True)
    elif backend == "tensorflow":
        import tensorflow as tf

        @tf.function
        def with_gradients():
            with tf.GradientTape() as tape:
                value, aux = loss()
            return value, aux, tape.gradient(value, [variable.value for variable in variables])

        value, aux, grads = with_gradients()
    else:
        import jax

        def stateless(values):
            with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return loss()

        compute = jax.jit(jax.value_and_grad(stateless, has_aux=True))
        (value, aux), grads = compute([variable.value for variable in variables])
    zeros = (np.zeros(variable.shape, "float32") for variable in variables)
    grads = [
        zero if gradient is None else to_numpy(gradient)
        for zero, gradient in zip(zeros, grads, strict=True)
    ]
    return float(to_numpy(value)), grads, aux
