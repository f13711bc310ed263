"""What the page needs to know of a model, as values of JSON."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_cvae import runs
from keras_cvae.data.skeleton import JOINTS, LIMBS, line_width, supersampling
from keras_cvae.errors import UserError
from keras_cvae.images import chosen_frame_size
from keras_cvae.inference import Predictor
from keras_cvae.play.packing import pack
from keras_cvae.play.scenes import Dance, Scene, find_scene

VERSION = 1
_ENDINGS = (".weights.h5", ".keras", ".onnx", ".pt2", ".zip")


class Content:
    """What the page needs to know of a model.

    Args:
        model: the path that the predictor was loaded from.
        predictor: of the model.
        frame_size: (height, width) of the frames; `None` takes that of the training.

    Attributes:
        frame_size: (height, width) of the frames.
        latent_shape: of one frame's z.

    Raises:
        UserError: if the model's pose images are not known to be skeletons, or nothing is known of
            its person.

    Example:

    ```python
    path = "saved_models/builtin_dancer.onnx"
    content = Content(path, load_predictor(path))
    text = json.dumps(content.values(dances=range(3)))
    ```
    """

    def __init__(
        self,
        model: str | os.PathLike,
        predictor: Predictor,
        frame_size: tuple[int, int] | None = None,
    ):
        self._model, self._predictor = Path(model), predictor
        self.frame_size = chosen_frame_size(frame_size, predictor.frame_size)
        self.latent_shape = predictor.latent_shape(self.frame_size)
        self._scene: Scene = find_scene(model, predictor.poses, self.frame_size)

    @property
    def name(self) -> str:
        """The model's name for people."""
        name = self._model.resolve().name
        return next((name.removesuffix(end) for end in _ENDINGS if name.endswith(end)), name)

    def values(self, dances: Iterable[int] = ()) -> dict[str, Any]:
        """All of it but what `dance` gives, as values of JSON; arrays as of `packing.pack`.

        Args:
            dances: the seeds of random dances that are part of it.

        Returns:
            dict, see `docs/interfaces.md`.
        """
        scene = self._scene
        choreography = None
        if scene.choreography is not None and scene.poses is not None:
            choreography = {
                "name": "validation choreography",
                **_packed(scene.choreography),
                "poses": pack(scene.poses),
            }
        return {
            "version": VERSION,
            "name": self.name,
            "frame_size": list(self.frame_size),
            "latent_shape": list(self.latent_shape),
            "prior": self._predictor.prior,
            "temperature": self._predictor.temperature,
            "fps": scene.fps,
            "latent": latent_sentence(self._results()),
            "skeleton": {
                "joints": list(JOINTS),
                "limbs": [[start, end, list(colour)] for start, end, colour in LIMBS],
                "supersampling": supersampling(self.frame_size),
                "line": line_width(self.frame_size),
            },
            "starts": [
                {"name": start.name, "image": pack(start.image)}
                | _packed(Dance(start.joints, start.depth))
                for start in scene.starts
            ],
            "choreography": choreography,
            "dances": [self.dance(seed) for seed in dances],
        }

    def dance(self, seed: int) -> dict[str, Any]:
        """A random dance, as values of JSON.

        Args:
            seed: at least 0; the same seed gives the same dance.

        Returns:
            dict with `joints` (T, 19, 2) and `depth` (T, 19), or `None` where poses have none.

        Raises:
            UserError: for a seed that is none.
        """
        return _packed(self._scene.dance(seed))

    def _results(self) -> dict:
        """What was measured of the model: of its manifest or of its run folder, if any."""
        found = self._predictor.manifest.get("results")
        if found is None and (self._model / runs.METRICS).is_file():
            try:
                found = runs.read_metrics(self._model)
            except UserError:
                found = None  # one sentence less
        return found if isinstance(found, dict) else {}


def latent_sentence(results: dict) -> str | None:
    """One sentence on how much z carries in a model.

    Args:
        results: measured values, as of `runs.read_metrics`.

    Returns:
        The sentence, or `None` where it was not measured.
    """
    names = ("val_active_maps", "val_latent_maps", "val_posterior_psnr", "val_psnr")
    numbers = [results.get(name) for name in names]
    if not all(_is_finite(number) for number in numbers):
        return None
    active, maps, posterior, psnr = numbers
    before, after = f"{psnr:.1f} dB", f"{posterior:.1f} dB"
    change = f"the same, {after}" if before == after else f"{after} instead of {before}"
    return (
        f"In this model {active:.0f} of {maps:.0f} latent channels are active; with z of the true "
        f"frames, the PSNR of the validation video would be {change}."
    )


def _is_finite(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _packed(dance: Dance) -> dict[str, Any]:
    depth = None if dance.depth is None else pack(dance.depth)
    return {"joints": pack(dance.joints), "depth": depth}
