"""The mathematics of the model: a clip of true frames and poses is rolled out."""

from keras import ops, random

from keras_cvae.layers.gaussian import bound_logvar, reparameterise
from keras_cvae.model.rollout import (
    Rollout,
    all_at_once,
    bound_output,
    check_clip,
    one_by_one,
    per_frame,
    to_unit,
)
from keras_cvae.native import images_at_once, unrolls_loops
from keras_cvae.native.remat import rematerialised


class ClipRollout:
    """What `CVAE` computes from a clip: a mixin that reads the model's networks and options."""

    def call(self, inputs, training=False):
        """The free roll-out with z from the posterior, which sees the target frames."""
        return self._roll_out(inputs, free_running, training=training)

    def rollout(self, frames, poses, eps=None, teacher_forcing=False):
        """Predicts frames 1..T-1 of a clip with z from the posterior of the true frames.

        Args:
            frames: (B, T, H, W, 3), uint8 or floats in [0, 1].
            poses: the same shape; `poses[:, t]` belongs to frame t.
            eps: (B, T-1, *latent_shape) noise, or `None` to draw it.
            teacher_forcing: bool, predict from the true frame before instead of the prediction.

        Returns:
            `Rollout(pred, mu, logvar)`.

        Raises:
            ValueError: for wrong shapes or number types.
        """
        inputs = {"frames": ops.convert_to_tensor(frames), "poses": ops.convert_to_tensor(poses)}
        if eps is not None:
            inputs["eps"] = ops.convert_to_tensor(eps)
        return self._roll_out(inputs, teacher_forced if teacher_forcing else free_running)

    def _roll_out(self, inputs, branches, training=False):
        """Posterior of all frames, z, then the decoder as `branches(forced, free)` chooses."""
        check_clip(inputs["frames"].shape, inputs["poses"].shape)
        frames = to_unit(inputs["frames"], "frames")
        poses = to_unit(inputs["poses"], "poses")
        networks = self.architecture
        self.note_frame_size(frames.shape[2:4])
        eps = self._noise(inputs.get("eps"), frames)
        pose_features = networks.encode_poses(poses[:, 1:], training=training)
        roll_out = self._frame_by_frame if self.rematerialise and training else self._together
        return roll_out(frames, pose_features, eps, branches)

    def note_frame_size(self, size):
        """Keeps the (height, width) of the frames that the model is for, or `None`."""
        # Compared first: a step is compiled anew for what changes in it.
        size = None if size is None else tuple(int(side) for side in size)
        if getattr(self, "_frame_size", ()) != size:
            self._frame_size = size

    @property
    def frame_size(self):
        """(height, width) of the frames that the model was last trained on or made for."""
        return self._frame_size

    def _noise(self, eps, frames):
        shape = (frames.shape[1] - 1, *self.latent_shape(frames.shape[2:4]))
        if eps is None:
            return random.normal((ops.shape(frames)[0], *shape), seed=self.rng)
        if tuple(eps.shape[1:]) != shape:
            raise ValueError(f"eps must be (B, {str(shape)[1:]}; got {tuple(eps.shape)}.")
        return ops.cast(eps, "float32")

    def _together(self, frames, pose_features, eps, branches):
        """Whatever does not depend on a prediction is computed for all frames at once."""
        networks = self.architecture
        features = per_frame(networks.encode_frames, frames[:, 1:])
        mu, logvar = per_frame(networks.posterior, features, pose_features)
        logvar = bound_logvar(logvar, self.logvar_bound)
        z = reparameterise(mu, logvar, eps)

        def forced():
            first = per_frame(networks.encode_frames, frames[:, :1])
            previous = ops.concatenate([first, features[:, :-1]], axis=1)
            return all_at_once(self._decode, previous, pose_features, z, images_at_once(networks))

        def free():
            return self._one_by_one(self._fed_back, frames[:, 0], pose_features, z)

        return Rollout(branches(forced, free), mu, logvar)

    def _frame_by_frame(self, frames, pose_features, eps, branches):
        """The same, one frame after another, of which no activations are kept for the gradient."""
        networks = self.architecture

        def infer(frame, pose):
            return tuple(networks.posterior(networks.encode_frames(frame), pose))

        infer = rematerialised(infer, networks.variables)
        predict = rematerialised(self._fed_back, networks.variables)
        mu, logvar = self._one_by_one(
            lambda _, frame, pose: infer(frame, pose),
            (eps[:, 0], eps[:, 0]),
            *(frames[:, 1:], pose_features),
        )
        logvar = bound_logvar(logvar, self.logvar_bound)
        z = reparameterise(mu, logvar, eps)

        def forced():
            return self._one_by_one(
                lambda _, *given: predict(*given),
                *(frames[:, 0], frames[:, :-1], pose_features, z),
            )

        def free():
            return self._one_by_one(predict, frames[:, 0], pose_features, z)

        return Rollout(branches(forced, free), mu, logvar)

    def _decode(self, previous_features, pose, z):
        frame = self.architecture.decode(previous_features, pose, z)
        return bound_output(frame, self.output_bound)

    def _fed_back(self, previous, pose, z):
        if self.stop_feedback_gradient:
            previous = ops.stop_gradient(previous)
        return self._decode(self.architecture.encode_frames(previous), pose, z)

    def _one_by_one(self, function, first, *sequences):
        return one_by_one(function, first, *sequences, unroll=unrolls_loops(self.jit_compile))


def teacher_forced(forced, free):
    return forced()


def free_running(forced, free):
    return free()
