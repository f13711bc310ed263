"""The rollout of a clip as pure functions: posterior, z, and the two ways to go through the frames.

Time is axis 1. T frames give T - 1 predictions: frame 0 is given.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops, tree

from keras_cvae.architectures.base import Architecture
from keras_cvae.backend.loops import groups_images, scans_pay
from keras_cvae.backend.own_step import OwnStep
from keras_cvae.backend.rematerialise import rematerialised
from keras_cvae.backend.tensor import Tensor
from keras_cvae.errors import UserError
from keras_cvae.layers.gaussian import reparameterise

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
            `None` for one pass. With `rematerialise` there is one pass.
        training: bool, for the normalisation of the pose encoder.
        rematerialise: bool, go frame by frame and keep no activations of a frame for the gradient.
        unroll: bool, trace the loop over frames once per frame instead of as a scan.

    Returns:
        `(rollout, prior)`: a `Rollout`, and mean and logvar of the prior of each frame, which sees
        the previous frame that the decoder sees, without a gradient into it (Denton & Fergus 2018,
        section 3.2); `None` where the prior is N(0, I).
    """
    pose_features = architecture.encode_poses(poses[:, 1:], training=training)
    step, infer = _step_and_prior(architecture), _infer_frame(architecture)
    if rematerialise:
        step, infer = (rematerialised(each, architecture.variables) for each in (step, infer))

    def loop(function, first, *sequences):
        return one_by_one(function, first, *sequences, unroll=unroll)

    # A step gives the frame, and the parameters of the prior if it is learned.
    nothing = ops.zeros_like(eps[:, 0])
    first = [frames[:, 0]] + ([] if architecture.prior == "standard" else [nothing, nothing])

    def free():
        return loop(fed_back, first, pose_features, z)

    def fed_back(predicted, pose, z):
        return step(feed_back(predicted[0]), pose, z)

    if rematerialise:
        posterior = lambda _, frame, pose: infer(frame, pose)  # noqa: E731
        mu, logvar = loop(posterior, (eps[:, 0], eps[:, 0]), frames[:, 1:], pose_features)
        z = reparameterise(mu, logvar, eps)

        def forced():
            known = lambda _, previous, pose, z: step(previous, pose, z)  # noqa: E731
            return loop(known, first, frames[:, :-1], pose_features, z)

        return _with_prior(choose(forced, free), mu, logvar)

    # What does not depend on a prediction is computed for all frames at once.
    features = per_frame(architecture.encode_frames, frames)
    mu, logvar = per_frame(architecture.infer, features[:, 1:], pose_features)
    z = reparameterise(mu, logvar, eps)

    def decode(previous):
        most = architecture.images_at_once if groups_images(previous) else None
        return all_at_once(_decoder_and_prior(architecture), previous, pose_features, z, most)

    if own_step is None:
        return _with_prior(choose(lambda: decode(features[:, :-1]), free), mu, logvar)

    def own():
        predicted = _own_frames(own_step, frames, pose_features, z)
        return per_frame(architecture.encode_frames, predicted)

    return _with_prior(decode(choose(lambda: features[:, :-1], own)), mu, logvar)


def _with_prior(decoded, mu, logvar):
    frames, *prior = decoded
    return Rollout(frames, mu, logvar), tuple(prior) or None


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


def _infer_frame(architecture):
    def infer(frame, pose_features):
        return tuple(architecture.infer(architecture.encode_frames(frame), pose_features))

    return infer


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


def per_frame(network: Callable, *sequences: Tensor) -> Any:
    """Applies a network of images (n, ...) to all frames of sequences (B, T, ...) at once."""
    time = sequences[0].shape[1]
    outputs = network(*(ops.reshape(s, (-1, *s.shape[2:])) for s in sequences))

    def unfold(x):
        return ops.reshape(x, (-1, time, *x.shape[1:]))

    if isinstance(outputs, (list, tuple)):
        return [unfold(x) for x in outputs]
    return unfold(outputs)


def one_by_one(function: Callable, first: Any, *sequences: Tensor, unroll: bool = False) -> Any:
    """Applies a function to one time step of sequences after another.

    A scan on TensorFlow and JAX, which trace the function once, not once per time step.

    Args:
        function: takes what it returned for the time step before, and the time step of each
            sequence; returns a tensor, or a tuple or list of tensors.
        first: what it gets in place of its return value at the first time step, of the same shapes.
        *sequences: (B, T, ...) tensors.
        unroll: bool, trace the function once per time step.

    Returns:
        What it returned for each time step, (B, T, ...).
    """
    by_time = tuple(ops.swapaxes(x, 0, 1) for x in sequences)
    if unroll or not scans_pay():
        carry, outputs = first, []
        for t in range(by_time[0].shape[0]):
            carry = function(carry, *(x[t] for x in by_time))
            outputs.append(carry)
        return tree.map_structure(lambda *steps: ops.stack(steps, axis=1), *outputs)

    def step(carry, given):
        output = function(carry, *given)
        return output, output

    _, outputs = ops.scan(step, first, by_time)
    return tree.map_structure(lambda x: ops.swapaxes(x, 0, 1), outputs)


def all_at_once(
    decode: Callable,
    frame_features: Tensor,
    pose_features: Tensor,
    z: Tensor,
    images_at_once: int | None = None,
) -> Any:
    """Predicts every frame from the true one before it, the frames of a clip together.

    Args:
        decode: function (previous_features, pose_features, z) -> frames, or a list of tensors, on
            (n, ...) tensors.
        frame_features: (B, T-1, ...) encoded true frames 0..T-2.
        pose_features: (B, T-1, ...) encoded poses 1..T-1.
        z: (B, T-1, ...) latents 1..T-1.
        images_at_once: int, decode at most so many images together (or one time step of the
            batch, if that is more); `None` decodes all.

    Returns:
        What it returned, for all frames: (B, T-1, ...).
    """
    sequences = (frame_features, pose_features, z)
    batch, time = z.shape[:2]
    if images_at_once is None or batch * time <= images_at_once:
        return per_frame(decode, *sequences)
    steps = max(images_at_once // batch, 1)
    groups = (
        per_frame(decode, *(x[:, start : start + steps] for x in sequences))
        for start in range(0, time, steps)
    )
    return tree.map_structure(lambda *parts: ops.concatenate(parts, axis=1), *groups)
