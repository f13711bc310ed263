"""From noise and poses to frames: one step, and the two ways to go through a clip.

Time is axis 1. T frames give T - 1 predictions: frame 0 is given.
"""

from typing import Any, NamedTuple

from keras import ops, tree


class Rollout(NamedTuple):
    """What a roll-out gives: T - 1 predicted frames and the posterior of each.

    Args:
        pred: (B, T-1, H, W, 3) float32, predictions of frames 1..T-1.
        mu: (B, T-1, *latent_shape) float32, the posterior's mean.
        logvar: the same shape, the logarithm of its variance.
    """

    pred: Any
    mu: Any
    logvar: Any


def to_unit(images, what="images"):
    """Images as float32 in [0, 1]: uint8 is scaled by 1/255, floats are taken as they are.

    Args:
        images: array or tensor, uint8 or floating.
        what: str, how an error names them.

    Returns:
        A float32 tensor of the same shape.

    Raises:
        ValueError: for any other type of number.
    """
    dtype = ops.dtype(images) if hasattr(images, "dtype") else "unknown"
    if dtype == "uint8":
        return ops.cast(images, "float32") / 255.0
    if "float" in dtype:
        return ops.cast(images, "float32")
    raise ValueError(
        f"{what} must be uint8 (0..255) or floating point (0..1); got {dtype}. "
        "Convert them, for example with .astype('uint8')."
    )


def check_clip(frames, poses):
    """Raises a `ValueError` where the shapes are not two clips (B, T, H, W, 3) with T >= 2."""
    frames, poses = tuple(frames), tuple(poses)
    if len(frames) != 5 or frames[-1] != 3 or frames != poses or (frames[1] or 2) < 2:
        raise ValueError(
            "frames and poses must both be (B, T, H, W, 3) with T >= 2, channels last; got "
            f"frames {frames} and poses {poses}."
        )


def bound_output(frame, output):
    """The decoder's output as an image: through a sigmoid, clipped to [0, 1], or as it is."""
    if output == "sigmoid":
        return ops.sigmoid(frame)
    if output == "clip":
        return ops.clip(frame, 0.0, 1.0)
    return frame


def per_frame(network, *sequences):
    """Applies a network of images (n, ...) to all frames of sequences (B, T, ...) at once."""
    time = sequences[0].shape[1]
    outputs = network(*(ops.reshape(s, (-1, *s.shape[2:])) for s in sequences))

    def unfold(x):
        return ops.reshape(x, (-1, time, *x.shape[1:]))

    if isinstance(outputs, (list, tuple)):
        return [unfold(x) for x in outputs]
    return unfold(outputs)


def one_by_one(function, first, *sequences, unroll=False):
    """Applies a function to one time step of sequences after another.

    A scan: TensorFlow and JAX trace the function once, not once per time step.

    Args:
        function: takes what it returned for the time step before, and the time step of each
            sequence; returns a tensor, or a tuple of tensors.
        first: what it gets in place of its return value at the first time step, of the same shapes.
        *sequences: (B, T, ...) tensors.
        unroll: bool, trace the function once per time step all the same.

    Returns:
        What it returned for each time step, (B, T, ...).
    """
    by_time = tuple(ops.swapaxes(x, 0, 1) for x in sequences)
    if unroll:
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


def all_at_once(decode, frame_features, pose_features, z, images_at_once=None):
    """Predicts every frame from the true one before it, the frames of a clip together.

    Args:
        decode: function (previous_features, pose_features, z) -> frames, on (n, ...) tensors.
        frame_features: (B, T-1, ...) encoded true frames 0..T-2.
        pose_features: (B, T-1, ...) encoded poses 1..T-1.
        z: (B, T-1, ...) latents 1..T-1.
        images_at_once: int, decode at most so many images together (or one time step of the
            batch, if that is more); `None` decodes all.

    Returns:
        (B, T-1, H, W, 3) predictions.
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
    return ops.concatenate(list(groups), axis=1)
