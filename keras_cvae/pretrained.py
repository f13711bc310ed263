"""The pretrained models that come with the package."""

from pathlib import Path

from keras_cvae.model.loading import load_model

FOLDER = Path(__file__).parent / "saved_models"


def from_pretrained(name):
    """Loads a pretrained model that comes with the package; nothing is downloaded.

    Args:
        name: str, such as `"builtin_dancer"`, the default preset trained on the built-in data: see
            its card, `saved_models/builtin_dancer.md`. The same model as ONNX is beside it.

    Returns:
        `CVAE`, not compiled.

    Raises:
        ValueError: for a name that is not there.

    Example:

    ```python
    model = keras_cvae.from_pretrained("builtin_dancer")
    video = model.predict_video(first_frame, poses)
    ```
    """
    names = sorted(path.stem for path in FOLDER.glob("*.keras"))
    if name not in names:
        raise ValueError(f"There is no pretrained model {name!r}; there is {', '.join(names)}.")
    return load_model(FOLDER / f"{name}.keras", compile=False)
