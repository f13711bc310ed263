"""The runtime of each format, which makes a step of prediction from a file or folder.

Each function imports its runtime when it is called, and returns the `step_for` of a `Predictor`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np

from keras_cvae.errors import optional_package
from keras_cvae.predictor import OUTPUT, Step

StepFor: TypeAlias = Callable[[tuple, tuple], Step]  # see `Predictor`


def onnx_step(path: Path, names: tuple[str, ...]) -> StepFor:
    """ONNX Runtime, on the best device that the installed package can use.

    Args:
        path: the `.onnx` file.
        names: of the inputs.

    Raises:
        UserError: if onnxruntime is not installed.
    """
    ort = optional_package("onnxruntime", "onnx", "for this format")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # errors are raised, and need not be logged
    session = ort.InferenceSession(str(path), options, providers=ort.get_available_providers())

    def step(*arrays: np.ndarray) -> np.ndarray:
        return session.run([OUTPUT], dict(zip(names, arrays, strict=True)))[0]

    return lambda shape, latent_shape: step


def saved_model_step(path: Path, names: tuple[str, ...]) -> StepFor:
    """TensorFlow, for a SavedModel.

    Args:
        path: the folder.
        names: of the inputs.

    Raises:
        UserError: if TensorFlow is not installed.
    """
    tf = optional_package("tensorflow", "tensorflow", "for this format")
    # In a thread of its own, where no strategy is set: loaded under one, it would not run.
    with ThreadPoolExecutor(1) as pool:
        loaded = pool.submit(tf.saved_model.load, str(path)).result()

    def step(*arrays: np.ndarray) -> np.ndarray:
        tensors = dict(zip(names, map(tf.constant, arrays), strict=True))
        return loaded.serve(tensors)[OUTPUT].numpy()

    return lambda shape, latent_shape: step


def torch_step(path: Path, names: tuple[str, ...]) -> StepFor:
    """PyTorch, for an exported program.

    Args:
        path: the `.pt2` file.
        names: of the inputs.

    Raises:
        UserError: if PyTorch is not installed.
    """
    torch = optional_package("torch", "torch", "for this format")
    program = torch.export.load(str(path)).module()

    def step(*arrays: np.ndarray) -> np.ndarray:
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
        with torch.no_grad():
            return program(dict(zip(names, tensors, strict=True)))[OUTPUT].numpy()

    return lambda shape, latent_shape: step
