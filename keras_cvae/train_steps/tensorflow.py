"""One optimiser step with TensorFlow's gradient tape (graph mode)."""

import tensorflow as tf


class TensorFlowSteps:
    def train_step(self, data):
        inputs = self.unpack_batch(data)
        with tf.GradientTape() as tape:
            loss, terms = self.negative_elbo(inputs, training=True)
            # Replicas add their gradients up, so each has its share of the loss.
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            scaled = self.optimizer.scale_loss(loss / replicas)
        trainable = list(self.trainable_weights)
        gradients = tape.gradient(scaled, trainable)
        self.optimizer.apply_gradients(zip(gradients, trainable, strict=True))
        return self.update_metrics(loss, terms, tf.shape(inputs["frames"])[0])

    def test_step(self, data):
        inputs = self.unpack_batch(data)
        loss, terms = self.negative_elbo(inputs, training=False)
        return self.update_metrics(loss, terms, tf.shape(inputs["frames"])[0])
