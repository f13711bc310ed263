"""Two replicas on TensorFlow give what one device gives, with the same batches.

All runs in one other process, whose CPU is made two devices before TensorFlow starts.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from checks import TINIEST, call

pytest.importorskip("tensorflow")

CLIPPED = {"global_clipnorm": 0.1}
OPTIMISERS = {
    "clipnorm": {"clipnorm": 0.1},
    "clipvalue": {"clipvalue": 0.01},
    "global_clipnorm": CLIPPED,
    "accumulation": {**CLIPPED, "gradient_accumulation_steps": 2},
    "weight_decay": {**CLIPPED, "weight_decay": 0.1},
    "ema": {**CLIPPED, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    "loss_scale": CLIPPED,
}


@pytest.fixture(scope="module")
def differences():
    return json.loads(call(compare, backend="tensorflow", fresh=True))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_sees_the_whole_gradient(differences, name):
    # Of numbers up to 1; one of half of a gradient is wrong by 1e-3 and more.
    assert differences["optimisers"][name] < 1e-6


def test_statistics_are_those_of_the_whole_batch(differences):
    assert max(differences["statistics"].values()) < 1e-5


def test_training_is_that_of_one_device(differences):
    # Sums in another order: 6e-8 after six steps of at most 1e-3. Keras' own order of clipping and
    # summing is wrong by 4e-3.
    assert differences["weights"] < 2e-6
    assert differences["logs"] < 1e-6
    assert differences["random_state"] == 0


def test_prediction_and_evaluation_are_those_of_one_device(differences):
    assert differences["evaluated"] < 1e-5
    assert differences["videos"] < 1e-5
    assert differences["latents"] < 1e-5


def test_what_was_made_outside_the_strategy_is_refused(differences):
    model, optimiser = differences["refused"]
    assert "The model was made outside the strategy of 2 devices" in model
    assert "The optimiser was made outside the strategy of 2 devices" in optimiser


def test_what_tensorflow_cannot_run_on_several_devices_is_refused(differences):
    several, compiled, *single = differences["cannot_run"]
    assert "steps_per_execution=2, which TensorFlow cannot run on 2 devices" in several
    assert "jit_compile=True, which TensorFlow cannot run on 2 devices" in compiled
    for each in single:
        assert "would compute the whole batch on each of 2 devices" in each


def test_a_saved_model_loads_under_a_strategy(differences):
    assert differences["loaded"] == 3


# --- in the other process ------------------------------------------------------------------------


def compare():
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_visible_devices([], "GPU")
    tf.config.set_logical_device_configuration(cpu, two)
    # Rewriting the graphs takes longer than running them here.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    from keras_cvae import distribution

    one = _results(tf)
    early = _model(), _optimiser()
    distribution.start()
    assert tf.distribute.get_strategy().num_replicas_in_sync == 2
    found = _difference(one, _results(tf))
    print(json.dumps(found | _refusals(*early) | {"loaded": _loaded(tf)}))


def _refusals(early_model, early_optimiser):
    model, clips = _model(), _clips()
    refused = [_error(early_model.compile, "sgd"), _error(model.compile, early_optimiser)]
    cannot_run = []
    for options in ({"steps_per_execution": 2}, {"jit_compile": True}):
        model.compile(_optimiser(), **options)
        cannot_run.append(_error(model.fit, clips))
    frames, poses = _video()
    batch = {"frames": frames[None, :4], "poses": poses[None, :4]}
    cannot_run += [_error(each, batch) for each in (model.train_on_batch, model.test_on_batch)]
    return {"refused": refused, "cannot_run": cannot_run}


def _error(function, *args):
    from keras_cvae.errors import UserError

    try:
        function(*args)
    except UserError as error:
        return str(error)
    raise AssertionError(f"{function} refused nothing")


def _loaded(tf):
    """What a SavedModel with a variable of 3 gives, loaded under the strategy."""
    from keras_cvae.inference.runtimes import saved_model_step
    from keras_cvae.predictor import OUTPUT

    module = tf.Module()
    module.three = tf.Variable(3.0)
    module.serve = tf.function(
        lambda inputs: {OUTPUT: inputs["x"] * module.three},
        input_signature=[{"x": tf.TensorSpec(())}],
    )
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        step = saved_model_step(Path(folder), ("x",))((), ())
        return float(step(np.float32(1)))


def _difference(one, two):
    if isinstance(one, dict):
        return {name: _difference(one[name], two[name]) for name in one}
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in zip(one, two, strict=True))


def _results(tf):
    optimisers = {name: _steps(tf, name, **options) for name, options in OPTIMISERS.items()}
    return {"optimisers": optimisers, "statistics": _statistics(tf), **_training()}


def _on_replicas(tf, function):
    """A function of rows as a graph, in which each replica has its part of the rows."""
    strategy = tf.distribute.get_strategy()
    count = strategy.num_replicas_in_sync

    def parts(array):
        rows = np.split(array, count)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(rows[context.replica_id_in_sync_group])
        )

    run = tf.function(lambda *parts: strategy.run(function, args=parts))
    return lambda *arrays: strategy.experimental_local_results(run(*map(parts, arrays)))


def _steps(tf, name, **options):
    """The variables after some steps of an optimiser."""
    import keras

    from keras_cvae.backend.replicas_tensorflow import apply_whole

    variables = [keras.Variable(np.full(3, 0.5, "float32")) for _ in range(2)]
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, **options)
    if name == "loss_scale":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, dynamic_growth_steps=2)
    optimizer.build(variables)

    def step(rows):
        gradients = [optimizer.scale_loss(tf.reduce_sum(rows * k, 0)) for k in (1.0, 0.3)]
        apply_whole(optimizer, gradients, variables)

    rng = np.random.default_rng(0)
    run = _on_replicas(tf, step)
    for _ in range(4):
        run(rng.normal(size=(4, 3)).astype("float32"))
    kept = [*variables, *optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(each), "float64") for each in kept]


def _statistics(tf):
    """What a batch normalisation in training gives and keeps, and its gradients."""
    import keras

    from keras_cvae.layers.clip_norm import ClipBatchNormalization

    layer = ClipBatchNormalization(momentum=0.9)
    layer.build((None, None, None, None, 2))
    rng = np.random.default_rng(0)
    x, weights = (rng.normal(size=(4, 3, 5, 5, 2)).astype("float32") for _ in range(2))

    def step(x, weights):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * weights)
        return y, tape.gradient(loss, x)

    results = _on_replicas(tf, step)(x, weights)
    outputs, gradients = (np.concatenate(each) for each in zip(*results, strict=True))
    moved = [keras.ops.convert_to_numpy(layer.moving_mean)]
    for variable in (layer.moving_mean.value, layer.moving_variance.value):
        copies = tf.distribute.get_strategy().experimental_local_results(variable)
        moved.append(copies[-1].numpy())  # the last replica's
    return {"outputs": [outputs], "gradients": [gradients], "moving": moved}


def _video():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (36, 8, 8, 3), dtype=np.uint8) for _ in range(2)]


def _clips():
    from keras_cvae.data import Clips

    return Clips(tuple(_video()), clip_length=3, batch_size=4)


def _model():
    import keras

    from keras_cvae import CVAE

    keras.utils.set_random_seed(1)
    model = CVAE("multiscale", **TINIEST, seed=3)
    model.teacher_forcing_ratio.assign(0.5)
    return model


def _optimiser():
    import keras

    return keras.optimizers.Adam(1e-3, global_clipnorm=1.0)


def _training():
    """A short training, and what the model does after it."""
    import keras

    model, clips = _model(), _clips()
    model.compile(_optimiser())
    frames, poses = _video()
    logs = model.fit(clips, epochs=2, shuffle=False, verbose=0).history
    values = [keras.ops.convert_to_numpy(each) for each in model.trainable_variables]
    return {
        "weights": values,
        "logs": list(logs.values()),
        "random_state": [keras.ops.convert_to_numpy(model.rng.state).astype("float64")],
        "evaluated": model.evaluate(clips, verbose=0),
        "videos": [model.predict_video(frames[0], poses[:4], temperature=1.0, seed=0)],
        "latents": model.infer_latents(frames[:4], poses[:4]),
    }
