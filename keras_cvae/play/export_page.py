"""The page to play with, as one file that needs neither a server nor a network."""

import base64
import gzip
import os
import tempfile
from pathlib import Path
from typing import Any

from keras_cvae.errors import UserError
from keras_cvae.exporting.exporter import export
from keras_cvae.files import check_new, written_whole
from keras_cvae.inference import load_predictor
from keras_cvae.model.loading import load_model
from keras_cvae.play.content import Content
from keras_cvae.play.html import whole_page
from keras_cvae.play.web_runtime import WebRuntime, web_runtime

SUFFIX = ".html"
DANCES = 6  # random dances in the file: together about 0.8 MB


def export_page(
    model: str | os.PathLike,
    out: str | os.PathLike,
    frame_size: tuple[int, int] | None = None,
    runtime_folder: str | os.PathLike | None = None,
) -> None:
    """Writes the page to play with a model as one file, and prints what it is.

    A browser opens the file and runs the model in it, by ONNX Runtime Web. The model is exported to
    ONNX, which is compared with Keras, see `exporting.exporter.export`.

    Args:
        model: a run folder, or a `.keras` file. Its pose images must be skeletons.
        out: the file to write, `x.html`; it must not exist.
        frame_size: (height, width) of the frames; `None` takes that of the training.
        runtime_folder: of the files of ONNX Runtime Web, see `web_runtime.web_runtime`.

    Raises:
        UserError: if there is no such model, its pose images are not known to be skeletons, it
            cannot be exported, the runtime cannot be had, or `out` exists or has another ending.

    Example:

    ```python
    export_page("runs/first", "dancer.html")
    ```
    """
    out = Path(out)
    if out.suffix != SUFFIX:
        raise UserError(f"A page must end in {SUFFIX}; got {out}.")
    check_new(out)
    loaded = load_model(model, compile=False)
    content = Content(model, load_predictor(model), frame_size)
    runtime = web_runtime(runtime_folder)
    with tempfile.TemporaryDirectory(prefix="keras_cvae-page-") as folder:
        graph = Path(folder) / "model.onnx"
        manifest = export(loaded, graph, "onnx", content.frame_size)
        setup = page_setup(content, runtime, graph.read_bytes(), list(manifest["inputs"]))
    page = whole_page(content.name, setup).encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out) as partial:
        partial.write_bytes(page)
        check_new(out)  # again: it may exist by now
    height, width = content.frame_size
    print(
        f"page: {len(page) / 1e6:.1f} MB; a browser runs the model in it, at {height} x {width}, "
        f"without a server; differs from Keras by at most {max(manifest['deviation'].values()):.1g}"
    )


def page_setup(
    content: Content, runtime: WebRuntime, graph: bytes, inputs: list[str]
) -> dict[str, Any]:
    """What the page starts with, as values of JSON.

    Args:
        content: of the model.
        runtime: that runs it.
        graph: the model's ONNX file.
        inputs: the names of the graph's inputs: previous frame, pose, and z or noise.

    Returns:
        dict; programs and model are base64 of gzip, which a browser unpacks.
    """
    return {
        "engine": "local",
        "content": content.values(range(DANCES)),
        "module": _packed(runtime.module),
        "wasm": _packed(runtime.wasm),
        "model": _packed(graph),
        "inputs": inputs,
    }


def _packed(data: bytes) -> str:
    # Without the time, so that the same model gives the same page.
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()
