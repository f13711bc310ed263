"""Two replicas on TensorFlow give what one device gives, with the same batches.

All runs in one other process, whose CPU is made two devices before TensorFlow starts.
"""

import json

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


# --- in the other process ------------------------------------------------------------------------


def compare():
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_visible_devices([], "GPU")
    tf.config.set_logical_device_configuration(cpu, two)
    from keras_cvae import distribution

    one = _results(tf)
    distribution.start()
    assert tf.distribute.get_strategy().num_replicas_in_sync == 2
    print(json.dumps(_difference(one, _results(tf))))


def _difference(one, two):
    if isinstance(one, dict):
        return {name: _difference(one[name], two[name]) for name in one}
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in zip(one, two, strict=True))


def _results(tf):
    optimisers = {name: _steps(tf, name, **options) for name, options in OPTIMISERS.items()}
    return {"optimisers": optimisers, "statistics": _statistics(tf), **_training()}


def _on_replicas(tf, function, *arrays):
    """Runs a function of rows in a graph; each replica has its part of the rows."""
    strategy = tf.distribute.get_strategy()
    count = strategy.num_replicas_in_sync

    def parts(array):
        rows = np.split(array, count)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(rows[context.replica_id_in_sync_group])
        )

    run = tf.function(lambda *parts: strategy.run(function, args=parts))
    return strategy.experimental_local_results(run(*map(parts, arrays)))


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
    for _ in range(4):
        _on_replicas(tf, step, rng.normal(size=(4, 3)).astype("float32"))
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

    results = _on_replicas(tf, step, x, weights)
    outputs, gradients = (np.concatenate(each) for each in zip(*results, strict=True))
    moved = [keras.ops.convert_to_numpy(layer.moving_mean)]
    for variable in (layer.moving_mean.value, layer.moving_variance.value):
        copies = tf.distribute.get_strategy().experimental_local_results(variable)
        moved.append(copies[-1].numpy())  # the last replica's
    return {"outputs": [outputs], "gradients": [gradients], "moving": moved}


def _training():
    """A short training, and what the model does after it."""
    import keras

    from keras_cvae import CVAE
    from keras_cvae.data import Clips

    keras.utils.set_random_seed(1)
    model = CVAE("multiscale", **TINIEST, seed=3)
    model.teacher_forcing_ratio.assign(0.5)
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    rng = np.random.default_rng(0)
    frames, poses = (rng.integers(0, 256, (36, 8, 8, 3), dtype=np.uint8) for _ in range(2))
    clips = Clips((frames, poses), clip_length=3, batch_size=4)
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
