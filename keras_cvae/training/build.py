"""The model and the optimiser of a training run, from its configuration."""

import os

import keras
from keras.optimizers import schedules as rates

from keras_cvae.errors import UserError
from keras_cvae.model.cvae import CVAE
from keras_cvae.model.loading import load_model
from keras_cvae.model.presets import WIDTHS
from keras_cvae.training.config import TrainingConfig


def build_model(config: TrainingConfig, steps: int, kind: type[CVAE] = CVAE) -> CVAE:
    """A new, compiled model of a configuration.

    Args:
        config: `TrainingConfig`.
        steps: int, batches in the whole training, the length of the learning-rate schedule.
        kind: `CVAE` or a subclass.

    Returns:
        `CVAE`.
    """
    model = kind.from_preset(
        config.preset,
        config.recipe,
        **config.model_overrides(),
        seed=config.seed,
        dtype=config.precision,
    )
    optimizers = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
    model.compile(
        optimizers[config.optimizer](
            learning_rate=_learning_rate(config, steps),
            epsilon=1e-8,  # PyTorch's, as published; Keras' own is 1e-7
            global_clipnorm=config.clipnorm or None,
            use_ema=config.ema > 0,
            ema_momentum=config.ema or 0.99,
            gradient_accumulation_steps=config.accumulate if config.accumulate > 1 else None,
        ),
        # Stored with the model: each backend that goes on with it has its own "auto".
        jit_compile="auto" if config.compile == "auto" else config.compile == "on",
    )
    return model


def start_from(model: CVAE, path: str | os.PathLike) -> None:
    """Gives a new model the weights of a saved one's networks, the norm's statistics included.

    Args:
        model: `CVAE`.
        path: of a run folder or a `.keras` file.

    Raises:
        UserError: if there is no model, or it has another architecture, widths or prior.
    """
    saved = load_model(path, compile=False)
    ours, theirs = (
        {name: each.get_config()[name] for name in ("architecture", *WIDTHS, "prior")}
        for each in (model, saved)
    )
    if ours != theirs:
        described = [" / ".join(map(str, each.values())) for each in (theirs, ours)]
        raise UserError(
            f"--init {path} is {described[0]} ({', '.join(ours)}), and the settings ask for "
            f"{described[1]}. Give the --preset and --prior that it was trained with."
        )
    model.architecture.set_weights(saved.architecture.get_weights())
    print(f"weights of {path}", flush=True)


def _learning_rate(config, steps):
    if config.lr_schedule == "cosine":
        return rates.CosineDecay(config.lr, steps, alpha=0.01)
    if config.lr_schedule == "step":
        return rates.PiecewiseConstantDecay(
            [steps // 2, steps * 3 // 4], [config.lr, 0.3 * config.lr, 0.1 * config.lr]
        )
    return config.lr
