"""What the flags build; whole runs are in scripts/test_train.py."""

import keras
import numpy as np
import pytest

from keras_cvae.training.build import build_model
from keras_cvae.training.resolve import resolve

STEPS = 40


def build(**given):
    return build_model(resolve({"preset": "lab_small", **given}), STEPS)


def rates(model):
    """The learning rate before each step, and of some after the last."""
    optimizer, values = model.optimizer, []
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    for step in range(STEPS + 5):
        optimizer._iterations.assign(step)
        values.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    return np.array(values)


def test_lr_schedules():
    np.testing.assert_allclose(rates(build(lr=0.01, lr_schedule="constant")), 0.01)
    progress = np.minimum(np.arange(STEPS + 5) / STEPS, 1)
    cosine = 0.01 * (0.01 + 0.99 * (1 + np.cos(np.pi * progress)) / 2)
    np.testing.assert_allclose(rates(build(lr=0.01, lr_schedule="cosine")), cosine, rtol=1e-4)
    steps = rates(build(lr=0.01, lr_schedule="step"))
    np.testing.assert_allclose(steps[:20], 0.01)
    np.testing.assert_allclose(steps[21:30], 0.003)
    np.testing.assert_allclose(steps[31:], 0.001)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
def test_a_schedule_of_one_step(schedule):
    model = build_model(resolve({"preset": "lab_small", "lr_schedule": schedule, "lr": 0.01}), 1)
    model.optimizer.build(model.trainable_variables)
    assert 0 < float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) <= 0.01


def test_optimiser_flags():
    plain = build().optimizer
    assert "adamw" not in plain.name.lower() and plain.global_clipnorm == 1.0
    assert plain.gradient_accumulation_steps is None and not plain.use_ema
    adamw = build(optimizer="adamw", clipnorm=0.5, ema=0.95, accumulate=3).optimizer
    assert isinstance(adamw, keras.optimizers.AdamW) and adamw.weight_decay > 0
    assert adamw.global_clipnorm == 0.5
    assert adamw.use_ema and adamw.ema_momentum == 0.95
    assert adamw.gradient_accumulation_steps == 3
    assert build(clipnorm=0).optimizer.global_clipnorm is None


def test_the_model_is_that_of_the_flags():
    model = build(
        output="clip",
        feedback_gradient="flow",
        kl_reduction="sum",
        logvar_bound=None,
        temperature=0.4,
    )
    assert (model.output_bound, model.kl_reduction, model.temperature) == ("clip", "sum", 0.4)
    assert model.stop_feedback_gradient is False and model.logvar_bound is None
    assert build(feedback_gradient="stop").stop_feedback_gradient is True
    assert build(logvar_bound=4.0).logvar_bound == 4.0


def test_presets_and_recipes():
    published = build(preset="lab_small", recipe="published")
    assert published.get_config()["initialisation"] == "pytorch"
    assert (published.output_bound, published.kl_reduction) == ("none", "sum")
    assert published.stop_feedback_gradient is False and published.logvar_bound is None
    assert published.temperature == 1.0
    rate = keras.ops.convert_to_numpy(published.optimizer.learning_rate)
    assert float(rate) == pytest.approx(1e-3)
    assert build(preset="multiscale").get_config()["architecture"] == "multiscale"
    assert build().get_config()["architecture"] == "lab"
    assert build(preset="lab").count_params() > 5 * build(preset="lab_small").count_params()


def test_precision():
    assert build(precision="mixed_bfloat16").dtype_policy.name == "mixed_bfloat16"
    assert build().dtype_policy.name == "float32"


def test_rematerialisation_and_compilation_reach_the_model():
    assert build().rematerialise is False and build(rematerialise=True).rematerialise is True
    assert build(compile="on").jit_compile is True
    assert build(compile="off").jit_compile is False


def test_the_seed_fixes_the_noise():
    assert build(seed=5).get_config()["seed"] == 5
