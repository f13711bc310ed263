"""Loads a predictor from a path."""

import os
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from keras_cvae import runs
from keras_cvae.backend.choice import choose_backend
from keras_cvae.errors import UserError, first_line
from keras_cvae.files import DAMAGED_ZIP, check_archive, check_regular
from keras_cvae.inference import runtimes
from keras_cvae.inference.manifest import (
    SUFFIX,
    check_digest,
    manifest_path,
    prior_of,
    read_manifest,
)
from keras_cvae.predictor import Predictor, Step, input_names

KERAS_FORMATS = ("keras", "weights")
_STEPS = {
    "onnx": runtimes.onnx_step,
    "tf_saved_model": runtimes.saved_model_step,
    "torch": runtimes.torch_step,
}
RUNS_CODE = ("tf_saved_model", "torch")  # formats whose files can run any code when loaded


def load_predictor(path: str | os.PathLike, trust: bool = False) -> Predictor:
    """Loads a trained model to predict with, in any format.

    ONNX, `.keras` and weights are safe to receive: nothing in them is run. A torch program (`.pt2`)
    is unpickled and a SavedModel may write files, alone or in a bundle: they can do all that you
    can. They are loaded only with `trust`.

    Args:
        path: what `keras_cvae.export` wrote, in any format or as a bundle (`.zip`); a run folder,
            whose `best.keras` is taken; or any `.keras` file. All but a `.keras` file need the
            manifest next to them. ONNX needs onnxruntime and NumPy alone; only a `.keras` or
            weights file imports Keras.
        trust: whether the sender is trusted with running code here.

    Returns:
        The predictor.

    Raises:
        UserError: if there is no model, it cannot be read, its manifest is missing or is of another
            model, its runtime is not installed, or its format needs `trust`.

    Example:

    ```python
    predictor = load_predictor("dancer.onnx")
    video = predictor.predict_video(first_frame, poses)  # (T, H, W, 3) float32
    for frame in predictor.stream(first_frame, camera):  # each as soon as its pose is there
        show(frame)
    ```
    """
    path = check_regular(path)
    if path.suffix == ".zip":
        return _from_bundle(path, trust)
    format, manifest = _identify(path)
    if format in RUNS_CODE and not trust:
        raise UserError(
            f"{path} is of the format {format}, whose files can run any code when they are loaded. "
            "If you trust its sender, say so with trust (trust=True in Python); ONNX and .keras "
            "need no trust."
        )
    if manifest is not None:
        check_digest(path, manifest)
    if format in KERAS_FORMATS:
        return _from_keras(path, format, manifest)
    assert manifest is not None, "only Keras' own formats have none"
    expected, latents = tuple(manifest["frame_size"]), manifest["latent_shape"]
    try:
        step_for = _STEPS[format](path, input_names(prior_of(manifest)))
        shape = _predicted_shape(step_for((1, *expected, 3), tuple(latents)), expected, latents)
    except UserError:
        raise
    except Exception as error:  # each runtime raises its own types of errors
        raise UserError(
            f"{path} could not be loaded as {format} with the sizes of its manifest: "
            f"{first_line(error)}"
        ) from error
    if shape != (1, *expected, 3):
        raise UserError(
            f"{path} predicts frames of the shape {shape}, and its manifest says "
            f"{(1, *expected, 3)}. Export the model again."
        )

    def latent_shape(size: tuple) -> list[int]:
        if size != expected:
            raise UserError(
                f"{path.name} predicts frames of {expected[0]} x {expected[1]} (height x width); "
                f"got {size[0]} x {size[1]}. Resize the images, or export the model at "
                "that frame size."
            )
        return latents

    return Predictor(
        step_for,
        latent_shape,
        expected,
        manifest["temperature"],
        manifest,
        prior=prior_of(manifest),
        poses=manifest.get("poses"),
    )


def _predicted_shape(step: Step, size: tuple, latents: list[int]) -> tuple:
    """Predicts one frame, to find out now whether the sizes of the manifest are the model's."""
    image = np.zeros((1, *size, 3), "float32")
    return step(image, image, np.zeros((1, *latents), "float32")).shape


def needs_keras(path: str | os.PathLike) -> bool:
    """Whether `load_predictor` imports Keras, and with it a backend.

    Args:
        path: as for `load_predictor`; it need not exist.
    """
    path = Path(path)
    if path.suffix == ".zip":
        try:
            with zipfile.ZipFile(check_regular(path)) as bundle:
                return any(name.endswith((".keras", ".weights.h5")) for name in bundle.namelist())
        except DAMAGED_ZIP:  # a UserError is one of them
            return False  # loading it gives the error
    try:
        return _identify(path)[0] in KERAS_FORMATS
    except UserError:
        return False


def _identify(path: Path) -> tuple[str, dict | None]:
    """The format of the model at a path, and its manifest (or `None`)."""
    if not path.exists():
        raise UserError(
            f"There is no model at {path}. Give a run folder, a .keras file or an exported model."
        )
    if runs.is_run(path):
        return "keras", None
    if path.suffix == ".keras":
        return "keras", _manifest_of_a_keras_file(path)
    manifest = read_manifest(path)
    if manifest is not None:
        if manifest["format"] not in (*KERAS_FORMATS, *_STEPS):
            raise UserError(
                f"{manifest_path(path)} names the format {manifest['format']!r}; expected one of "
                f"{', '.join((*KERAS_FORMATS, *_STEPS))}."
            )
        return manifest["format"], manifest
    if path.is_dir() and (inside := sorted(path.glob(f"*{SUFFIX}"))):
        raise UserError(
            f"{path} is a folder of exports. Give one of them, such as "
            f"{str(inside[0]).removesuffix(SUFFIX)}."
        )
    raise UserError(
        f"{path} has no manifest {manifest_path(path).name} next to it, which holds frame size and "
        "format. Keep the two files together, or use a bundle (.zip)."
    )


def _from_bundle(path: Path, trust: bool) -> Predictor:
    # A runtime reads the whole model when it loads it, so the folder is not needed later.
    if not path.exists():
        raise UserError(f"There is no bundle at {path}.")
    check_archive(path)
    with tempfile.TemporaryDirectory(prefix="keras_cvae-bundle-") as folder:
        try:
            with zipfile.ZipFile(path) as bundle:
                bundle.extractall(folder)
        except DAMAGED_ZIP as error:
            raise UserError(f"The bundle {path} could not be read: {error}") from error
        manifests = list(Path(folder).glob(f"*{SUFFIX}"))
        if len(manifests) != 1:
            raise UserError(
                f"{path} is not the bundle of an exported model: it holds {len(manifests)} "
                "manifests, expected 1."
            )
        try:
            return load_predictor(str(manifests[0]).removesuffix(SUFFIX), trust)
        except UserError as error:
            raise UserError(f"{path}: {str(error).replace(f'{folder}/', '')}") from error


def _from_keras(path: Path, format: str, manifest: dict | None) -> Predictor:
    if "keras" not in sys.modules:
        choose_backend()
    try:
        from keras_cvae.model.loading import load_model, load_weights
    except ImportError as error:
        raise UserError(f"{path} needs Keras, which could not be imported: {error}") from error

    if format == "weights" and manifest is not None:
        model = load_weights(path, {"poses": manifest.get("poses"), **manifest["model"]})
    else:
        model = load_model(path, compile=False)
    return model.prediction.predictor(
        frame_size=model.frame_size,
        temperature=model.temperature,
        manifest=manifest,
        poses=model.poses,
    )


def _manifest_of_a_keras_file(path: Path) -> dict | None:
    """Its manifest if it was exported. Another file of that name is ignored."""
    try:
        return read_manifest(path)
    except UserError:
        return None
