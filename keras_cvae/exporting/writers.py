"""A model to a file of each format, with the backend in use."""

import warnings

import keras

from keras_cvae.exporting.step import ExportedStep, input_shapes
from keras_cvae.predictor import OUTPUT


def write(model, path, format, frame_size):
    """Writes a model.

    Args:
        model: float32 `CVAE`.
        path: `Path` to write.
        format: str, one that the backend in use can write.
        frame_size: (height, width) of the frames in the graph.
    """
    if format == "keras":
        model.save(path)
    elif format == "weights":
        model.save_weights(path)
    else:
        with warnings.catch_warnings():
            # The exporters warn of their own insides; what they write is compared with Keras.
            warnings.simplefilter("ignore")
            _GRAPHS[format](ExportedStep(model), path, input_shapes(model, frame_size))


def _signature(shapes):
    return [
        {
            name: keras.InputSpec(shape=shape, dtype="float32", name=name)
            for name, shape in shapes.items()
        }
    ]


def _write_onnx(step, path, shapes):
    import onnx

    step.export(path, format="onnx", input_signature=_signature(shapes), verbose=False)
    # Every exporter gives the output a name of its own.
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


def _write_saved_model(step, path, shapes):
    step.export(path, format="tf_saved_model", input_signature=_signature(shapes), verbose=False)


def _write_torch(step, path, shapes):
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
