"""The posterior of frames as a model of its own."""

import keras

from keras_cvae.layers.gaussian import bound_logvar

INFERRED_AT_ONCE = 16  # frames


class Inference(keras.Model):
    """q(z | frame, pose) with the networks of a `CVAE`, compiled by Keras as any model.

    Args:
        architecture: the `CVAE`'s networks.
        logvar_bound: the `CVAE`'s bound of the log-variance.

    Input: a dict of float32 `"frames"` and `"poses"` (n, H, W, 3). Output: `(mu, logvar)`, each
    (n, *latent_shape) float32.
    """

    def __init__(self, architecture, logvar_bound):
        super().__init__(autocast=False, name="inference")
        self.architecture = architecture
        self.logvar_bound = logvar_bound
        if keras.backend.backend() == "tensorflow":
            self.jit_compile = False  # as in `FramePredictor`
        self.built = True

    def call(self, inputs):
        networks = self.architecture
        pose = networks.encode_poses(inputs["poses"][:, None])[:, 0]
        mu, logvar = networks.posterior(networks.encode_frames(inputs["frames"]), pose)
        return mu, bound_logvar(logvar, self.logvar_bound)
