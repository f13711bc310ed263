"""One optimiser step with TensorFlow's gradient tape (graph mode)."""

from typing import Any

import tensorflow as tf

from keras_cvae.backend.replicas_tensorflow import apply_whole
from keras_cvae.backend.train_step import unpack_batch


def train_step(model: Any, data: Any) -> dict:
    """One optimiser step on a batch; see `backend_steps`."""
    inputs = unpack_batch(data)
    with tf.GradientTape() as tape:
        loss, terms = model.negative_elbo(inputs, training=True)
        # The gradients of all replicas are summed, so each replica has its share of the loss.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        scaled = model.optimizer.scale_loss(loss / replicas)
    trainable = list(model.trainable_weights)
    apply_whole(model.optimizer, tape.gradient(scaled, trainable), trainable)
    return model.update_metrics(loss, terms, tf.shape(inputs["frames"])[0])


def test_step(model: Any, data: Any) -> dict:
    """The loss of a batch; see `backend_steps`."""
    inputs = unpack_batch(data)
    loss, terms = model.negative_elbo(inputs, training=False)
    return model.update_metrics(loss, terms, tf.shape(inputs["frames"])[0])
