"""The runtime of each format: a file or folder becomes a step of prediction.

Each function imports its runtime when it is called, and returns the `step_for` of a `Predictor`.
"""

import importlib

import numpy as np

from keras_cvae.errors import UserError
from keras_cvae.predictor import INPUTS, OUTPUT


def onnx_step(path):
    """ONNX Runtime, on whatever device the installed one can use."""
    ort = runtime("onnxruntime", "onnx")
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors alone
    session = ort.InferenceSession(str(path), options, providers=ort.get_available_providers())

    def step(*arrays):
        return session.run([OUTPUT], dict(zip(INPUTS, arrays, strict=True)))[0]

    return lambda shape, latent_shape: step


def saved_model_step(path):
    """TensorFlow's SavedModel."""
    tf = runtime("tensorflow", "tensorflow")
    loaded = tf.saved_model.load(str(path))

    def step(*arrays):
        tensors = dict(zip(INPUTS, map(tf.constant, arrays), strict=True))
        return loaded.serve(tensors)[OUTPUT].numpy()

    return lambda shape, latent_shape: step


def torch_step(path):
    """PyTorch's exported program."""
    torch = runtime("torch", "torch")
    program = torch.export.load(str(path)).module()

    def step(*arrays):
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
        with torch.no_grad():
            return program(dict(zip(INPUTS, tensors, strict=True)))[OUTPUT].numpy()

    return lambda shape, latent_shape: step


def runtime(package, extra):
    """Imports a package that an extra of this one installs.

    Raises:
        UserError: if it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UserError(
            f"{package} is needed for that format and could not be imported ({error}). Install it "
            f"with pip install {package}, or 'keras_cvae[{extra}]'."
        ) from error
