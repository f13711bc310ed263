"""One step of prediction as a model of its own."""

import keras
from keras import ops

from keras_cvae.model.rollout import bound_output
from keras_cvae.streaming import INPUTS


class FramePredictor(keras.Model):
    """One step of prediction: previous frame, pose and z give the next frame.

    It shares the networks of a `CVAE`, has no random state, and is compiled by Keras as any model.

    Args:
        architecture: the `CVAE`'s networks.
        output: the `CVAE`'s output bound.

    Input: a dict of float32 `"previous_frame"` (B, H, W, 3), `"pose"` (B, H, W, 3) and `"z"`
    (B, *latent_shape). Output: (B, H, W, 3) float32.
    """

    def __init__(self, architecture, output):
        super().__init__(autocast=False, name="frame_predictor")
        self.architecture = architecture
        self.output_bound = output
        if keras.backend.backend() == "tensorflow":
            self.jit_compile = False  # XLA's start costs more than it saves here
        self.built = True
        self._recorded = None

    def call(self, inputs):
        networks = self.architecture
        features = networks.encode_frames(inputs["previous_frame"])
        pose = networks.encode_poses(ops.expand_dims(inputs["pose"], 1))[:, 0]
        return bound_output(networks.decode(features, pose, inputs["z"]), self.output_bound)

    def step_for(self, shape, latent_shape):
        """The step as a function of NumPy arrays, as fast as the backend can have it.

        The weights are those at this moment: ask for it again when they have changed.

        Args:
            shape: (B, H, W, 3) of the frames.
            latent_shape: shape of one frame's z.

        Returns:
            A function (previous_frame, pose, z) -> next frame, all float32 arrays.
        """
        if keras.backend.backend() != "torch":
            return lambda *arrays: self.predict_on_batch(dict(zip(INPUTS, arrays, strict=True)))
        from keras_cvae.native.torch_graph import RecordedStep

        if self._recorded is None or self._recorded[0] != shape:
            shapes = (shape, shape, (shape[0], *latent_shape))
            example = [ops.zeros(each, "float32") for each in shapes]
            step = RecordedStep(
                lambda *x: self(dict(zip(INPUTS, x, strict=True))), self.variables, example
            )
            self._recorded = (shape, step)
        step = self._recorded[1]
        step.refresh()

        def predict(*arrays):
            return ops.convert_to_numpy(step(*map(ops.convert_to_tensor, arrays)))

        return predict
