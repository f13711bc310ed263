"""The rollout of a clip as pure functions: posterior, z, and the two ways to go through the frames.

Time is axis 1. T frames give T - 1 predictions: frame 0 is given.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from keras_cvae.architectures.base import Architecture
from keras_cvae.backend.loops import groups_images
from keras_cvae.backend.own_step import OwnStep
from keras_cvae.backend.rematerialise import rematerialised
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError
from keras_cvae.layers.gaussian import reparameterise
from keras_cvae.model.frame_loops import in_groups, one_by_one, per_frame

# With rematerialisation so many images are inferred or decoded together on PyTorch, unless the
# architecture has a number of its own. Their activations are in memory at the same time.
REMATERIALISED_AT_ONCE = 16

Choose = Callable[[Callable[[], Any], Callable[[], Any]], Any]


class Rollout(NamedTuple):
    """What a rollout gives: T - 1 predicted frames and the posterior of each.

    Args:
        pred: (B, T-1, H, W, 3) float32, predictions of frames 1..T-1.
        mu: (B, T-1, *latent_shape) float32, the posterior's mean.
        logvar: the same shape, the logarithm of its variance.
    """

    pred: Any
    mu: Any
    logvar: Any


def teacher_forced(forced: Callable[[], Any], free: Callable[[], Any]) -> Any:
    """Chooses teacher forcing; see `roll_out`."""
    return forced()


def free_running(forced: Callable[[], Any], free: Callable[[], Any]) -> Any:
    """Chooses the free rollout; see `roll_out`."""
    return free()


def roll_out(
    architecture: Architecture,
    frames: Tensor,
    poses: Tensor,
    eps: Tensor,
    choose: Choose,
    feed_back: Callable[[Tensor], Tensor] = lambda frame: frame,
    own_step: OwnStep | None = None,
    training: bool = False,
    rematerialise: bool = False,
    unroll: bool = False,
) -> tuple[Rollout, tuple[Tensor, Tensor] | None]:
    """Posterior of all frames, z, then the decoder, teacher-forced or free-running.

    Where no gradient flows through the fed-back frames, they are inputs like the true ones. Then a
    free rollout can have two passes: `own_step` predicts the frames one after another without
    gradients, and all are decoded together, each from the prediction before it. The numbers are
    the same. Most operations run once per clip instead of once per frame, and no loop has a
    gradient, which TensorFlow and JAX take long to compile.

    Args:
        architecture: the networks.
        frames: (B, T, H, W, 3) float32 in [0, 1].
        poses: the same shape.
        eps: (B, T-1, *latent_shape) float32 standard normal noise.
        choose: function of two functions without arguments, one for teacher forcing and one for
            the free rollout; calls one of them and returns its result.
        feed_back: function of a predicted frame (B, H, W, 3) that gives what the next step sees,
            in a free rollout of one pass.
        own_step: the architecture's `step` without gradients, for a free rollout of two passes;
            `None` for one pass.
        training: bool, for the normalisation of the pose encoder.
        rematerialise: bool, keep no activations of a frame for the gradient, and decode few frames
            together.
        unroll: bool, trace a loop over frames once per iteration instead of as a scan.

    Returns:
        `(rollout, prior)`: a `Rollout`, and mean and logvar of the prior of each frame, which sees
        the previous frame that the decoder sees, without a gradient into it (Denton & Fergus 2018,
        section 3.2); `None` where the prior is N(0, I).
    """
    pose_features = architecture.encode_poses(poses[:, 1:], training=training)
    step, infer = _step_and_prior(architecture), architecture.infer
    decode = _decoder_and_prior(architecture)
    infer_at_once = None
    decode_at_once = architecture.images_at_once if groups_images(frames) else None
    if rematerialise:
        # Frames are encoded inside, so that these activations are not kept either.
        functions = (step, _of_images(architecture, infer), _of_images(architecture, decode))
        step, infer, decode = (rematerialised(f, architecture.variables) for f in functions)
        infer_at_once = decode_at_once = architecture.images_at_once or REMATERIALISED_AT_ONCE

    def seen_of(images):
        return images if rematerialise else per_frame(architecture.encode_frames, images)

    # What does not depend on a prediction is computed for all frames at once, or for many.
    seen = seen_of(frames)
    nothing = [ops.zeros_like(eps[:, 0])] * 2
    mu, logvar = in_groups(
        infer, infer_at_once, tuple(nothing), seen[:, 1:], pose_features, unroll=unroll
    )
    z = reparameterise(mu, logvar, eps)
    # A step gives the frame, and the parameters of the prior if it is learned.
    first = [frames[:, 0], *([] if architecture.prior == "standard" else nothing)]

    def after(previous):
        return in_groups(decode, decode_at_once, first, previous, pose_features, z, unroll=unroll)

    def free():
        def fed_back(predicted, pose, z):
            return step(feed_back(predicted[0]), pose, z)

        return one_by_one(fed_back, first, pose_features, z, unroll=unroll)

    def own():
        return seen_of(_own_frames(own_step, frames, pose_features, z))

    if own_step is None:
        frames_and_prior = choose(lambda: after(seen[:, :-1]), free)
    else:
        frames_and_prior = after(choose(lambda: seen[:, :-1], own))
    predicted, *prior = frames_and_prior
    return Rollout(predicted, mu, logvar), tuple(prior) or None


def _decoder_and_prior(architecture):
    """The frame and the prior's parameters, from an encoded previous frame without a gradient."""

    def decode(previous_features, pose_features, z):
        prior = architecture.expect(previous_features, pose_features)
        return [architecture.next_frame(previous_features, pose_features, z), *(prior or ())]

    return decode


def _step_and_prior(architecture):
    """The frame and the prior's parameters, from a previous frame that may have a gradient."""

    def step(previous_frame, pose_features, z):
        frame = architecture.step(previous_frame, pose_features, z)
        if architecture.prior == "standard":
            return [frame]
        seen = architecture.encode_frames(ops.stop_gradient(previous_frame))
        return [frame, *architecture.expect(seen, pose_features)]

    return step


def _of_images(architecture, function):
    """A function of encoded frames and more as one of frames and more."""

    def encoded(frames, *others):
        return function(architecture.encode_frames(frames), *others)

    return encoded


def _own_frames(own_step, frames, pose_features, z):
    """Frame 0, and the predictions of frames 1..T-2 in a free rollout, without gradients."""
    if frames.shape[1] == 2:
        return frames[:, :1]
    sequences = [ops.stop_gradient(x[:, :-1]) for x in (pose_features, z)]
    step = own_step.for_inputs(frames[:, 0], *(x[:, 0] for x in sequences))
    predicted = one_by_one(step, frames[:, 0], *sequences)
    # Stopped here too: TensorFlow's gradient of a branch looks for one through what is stopped.
    return ops.stop_gradient(ops.concatenate([frames[:, :1], predicted], axis=1))


def check_clip(frames: tuple, poses: tuple) -> None:
    """Checks that two shapes are those of clips (B, T, H, W, 3) with T >= 2.

    Raises:
        UserError: if they are not, or differ.
    """
    frames, poses = tuple(frames), tuple(poses)
    if len(frames) != 5 or frames[-1] != 3 or frames != poses or (frames[1] or 2) < 2:
        raise UserError(
            "frames and poses must both be (B, T, H, W, 3) with T >= 2, channels last; got "
            f"frames {frames} and poses {poses}."
        )


def checked_noise(eps: Tensor, shape: tuple) -> Tensor:
    """Noise as float32, if its shape is (B, *shape).

    Raises:
        UserError: if it is not.
    """
    if tuple(eps.shape[1:]) != tuple(shape):
        raise UserError(f"eps must be (B, {str(tuple(shape))[1:]}; got {tuple(eps.shape)}.")
    # A tensor of PyTorch's goes to where Keras is.
    return ops.cast(ops.convert_to_tensor(eps), "float32")
