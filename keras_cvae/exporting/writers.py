"""Writes a model in each format, with the backend in use."""

import warnings
from pathlib import Path
from typing import Any

import keras

from keras_cvae.exporting.step import ExportedStep, input_shapes
from keras_cvae.model.cvae import CVAE
from keras_cvae.predictor import OUTPUT


def write(model: CVAE, path: Path, format: str, frame_size: tuple[int, int]) -> None:
    """Writes a model.

    Args:
        model: of float32.
        path: what to write.
        format: a key of `FORMATS` that the backend in use can write.
        frame_size: (height, width) of the frames in the graph.
    """
    if format == "keras":
        model.save(path)
    elif format == "weights":
        model.save_weights(path)
    else:
        with warnings.catch_warnings():
            # The exporters warn about their internals; what they write is compared with Keras.
            warnings.simplefilter("ignore")
            _GRAPHS[format](ExportedStep(model), path, input_shapes(model, frame_size))


def _signature(shapes: dict[str, tuple]) -> list[dict[str, Any]]:
    return [
        {
            name: keras.InputSpec(shape=shape, dtype="float32", name=name)
            for name, shape in shapes.items()
        }
    ]


def _write_onnx(step: ExportedStep, path: Path, shapes: dict[str, tuple]) -> None:
    import onnx

    step.export(path, format="onnx", input_signature=_signature(shapes), verbose=False)
    # Each exporter names the output differently.
    graph = onnx.load(path)
    (output,) = graph.graph.output
    for node in graph.graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                if name == output.name:
                    names[at] = OUTPUT
    output.name = OUTPUT
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _write_saved_model(step: ExportedStep, path: Path, shapes: dict[str, tuple]) -> None:
    step.export(path, format="tf_saved_model", input_signature=_signature(shapes), verbose=False)


def _write_torch(step: ExportedStep, path: Path, shapes: dict[str, tuple]) -> None:
    import torch

    batch = torch.export.Dim("batch", min=1)
    step.export(
        path,
        format="torch",
        input_signature=_signature(shapes),
        dynamic_shapes=[({name: {0: batch} for name in shapes},)],
        verbose=False,
    )


_GRAPHS = {"onnx": _write_onnx, "tf_saved_model": _write_saved_model, "torch": _write_torch}
