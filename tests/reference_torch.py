"""The published system in plain PyTorch, an oracle to compare with: written from the formulas.

It imports torch alone and nothing of the package. Modules have the names they have in published
checkpoints, so that those load with `strict=True`. The loop runs frame by frame, as published;
nothing is shared between frames, nothing is made fast. Images are channels first, (B, T, 3, H, W).
"""

from typing import NamedTuple

import torch
from torch import nn

NORMS = ("frame", "clip")


class Rollout(NamedTuple):
    pred: torch.Tensor  # (B, T-1, 3, H, W)
    mu: torch.Tensor  # (B, T-1, N, H, W)
    logvar: torch.Tensor


class ELBO(NamedTuple):
    loss: torch.Tensor  # scalar
    mse: torch.Tensor  # (T-1,)
    kl: torch.Tensor  # (T-1,), nats, summed over the latent elements, mean over the batch


class ResidualBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, padding=1)
        self.conv2 = nn.Conv2d(o, o, 3, padding=1)
        self.act = nn.LeakyReLU(0.01)
        self.skip = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x):
        return self.act(self.conv2(self.act(self.conv1(x)))) + self.skip(x)


class DepthConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(i, i, 1), nn.LeakyReLU(0.01))
        self.depth_conv = nn.Conv2d(i, i, 3, padding=1, groups=i)
        self.conv2 = nn.Conv2d(i, o, 1)
        self.adaptor = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x):
        return self.conv2(self.depth_conv(self.conv1(x))) + self.adaptor(x)


class ConvFFN(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, 4 * c, 1)
        self.conv_out = nn.Conv2d(2 * c, c, 1)
        self.act = nn.LeakyReLU(0.1)

    def forward(self, x):
        a, b = self.conv(x).chunk(2, dim=1)
        return x + self.conv_out(a * self.act(b))


class DepthConvBlock(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.block = nn.Sequential(DepthConv(i, o), ConvFFN(o))

    def forward(self, x):
        return self.block(x)


class Network(nn.Sequential):
    """Layers one after another on the concatenation of the inputs' channels."""

    def forward(self, *inputs):
        return super().forward(torch.cat(inputs, dim=1))


class ReferenceCVAE(nn.Module):
    """The published model and its training loop.

    Args:
        frame_features, pose_features, latent_maps, decoder_features: the widths F, L, N, D.
        norm: in training, `"frame"` normalises the poses of one time step at a time, as published;
            `"clip"` those of all steps at once, and moves the moving statistics as far.
    """

    def __init__(
        self,
        frame_features=128,
        pose_features=32,
        latent_maps=12,
        decoder_features=192,
        norm="frame",
    ):
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {NORMS}; got {norm!r}.")
        self.norm = norm
        f, p, n, d = frame_features, pose_features, latent_maps, decoder_features
        i = f + p + n
        res, dcb = ResidualBlock, DepthConvBlock
        self.frame_transformation = Network(
            res(3, f // 8),
            dcb(f // 8, f // 8),
            res(f // 8, f // 4),
            dcb(f // 4, f // 4),
            res(f // 4, f // 2),
            dcb(f // 2, f // 2),
            nn.Conv2d(f // 2, f, 3, padding=1),
        )
        self.label_transformation = Network(
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, p // 2, 7),
            nn.BatchNorm2d(p // 2, eps=1e-5, momentum=0.1),
            nn.Identity(),  # published: a LeakyReLU of slope 1
            res(p // 2, p),
        )
        self.Gaussian_Predictor = Network(
            res(f + p, n // 4),
            dcb(n // 4, n // 4),
            res(n // 4, n // 2),
            dcb(n // 2, n // 2),
            res(n // 2, n),
            nn.Identity(),  # published: a LeakyReLU of slope 1
            nn.Conv2d(n, 2 * n, 1),
        )
        self.Decoder_Fusion = Network(
            dcb(i, i),
            res(i, i // 4),
            dcb(i // 4, i // 2),
            res(i // 2, i // 2),
            dcb(i // 2, d // 2),
            nn.Conv2d(d // 2, d, 1),
        )
        self.Generator = Network(
            dcb(d, d),
            res(d, d // 2),
            dcb(d // 2, d // 2),
            res(d // 2, d // 4),
            dcb(d // 4, d // 4),
            res(d // 4, d // 8),
            dcb(d // 8, d // 8),
            nn.Conv2d(d // 8, 3, 1),
        )

    def encode_poses(self, poses):
        """Encodes poses (B, T, 3, H, W), a list of T tensors; each moves the norm's statistics."""
        if self.norm == "frame" or not self.training:
            return [self.label_transformation(pose) for pose in poses.unbind(1)]
        batch_norm = self.label_transformation[2]
        per_frame = batch_norm.momentum
        batch_norm.momentum = 1 - (1 - per_frame) ** poses.shape[1]
        features = self.label_transformation(poses.flatten(0, 1))
        batch_norm.momentum = per_frame
        return features.unflatten(0, poses.shape[:2]).unbind(1)

    def decode(self, previous, pose_features, z):
        """The next frame from the previous frame (B, 3, H, W), the encoded pose and z."""
        features = self.frame_transformation(previous)
        return self.Generator(self.Decoder_Fusion(features, pose_features, z))

    def rollout(self, frames, poses, eps, teacher_forcing):
        """Predicts frames 1..T-1 with z from the posterior of the true frame.

        Args:
            frames, poses: (B, T, 3, H, W) in [0, 1].
            eps: (B, T-1, N, H, W), the noise.
            teacher_forcing: bool, whether the previous frame is the true one.

        Returns:
            `Rollout`.
        """
        encoded_poses = self.encode_poses(poses[:, 1:])
        steps = []
        previous = frames[:, 0]
        for t in range(1, frames.shape[1]):
            pose = encoded_poses[t - 1]
            posterior = self.Gaussian_Predictor(self.frame_transformation(frames[:, t]), pose)
            mu, logvar = posterior.chunk(2, dim=1)
            z = mu + torch.exp(logvar / 2) * eps[:, t - 1]
            prediction = self.decode(previous, pose, z)
            steps.append((prediction, mu, logvar))
            previous = frames[:, t] if teacher_forcing else prediction
        return Rollout(*(torch.stack(parts, dim=1) for parts in zip(*steps, strict=True)))

    def predict(self, first_frame, poses, z):
        """Predicts frames 1..T-1 from frame 0 alone.

        Args:
            first_frame: (B, 3, H, W); poses: (B, T, 3, H, W); z: (B, T-1, N, H, W).

        Returns:
            (B, T-1, 3, H, W).
        """
        predictions = []
        previous = first_frame
        for pose, latent in zip(self.encode_poses(poses[:, 1:]), z.unbind(1), strict=True):
            previous = self.decode(previous, pose, latent)
            predictions.append(previous)
        return torch.stack(predictions, dim=1)

    def train_step(self, optimizer, frames, poses, eps, beta, teacher_forcing, max_norm=1.0):
        """One step of the published recipe: the loss's gradient, clipped by its global norm.

        Returns:
            `ELBO` before the step.
        """
        self.train()
        optimizer.zero_grad()
        elbo = negative_elbo(frames, self.rollout(frames, poses, eps, teacher_forcing), beta)
        elbo.loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), max_norm)
        optimizer.step()
        return elbo


def negative_elbo(frames, rollout, beta):
    """Mean over the frames 1..T-1 of mse_t + beta * kl_t.

    Args:
        frames: (B, T, 3, H, W), the truth.
        rollout: `Rollout`.
        beta: float.

    Returns:
        `ELBO`.
    """
    mse = (rollout.pred - frames[:, 1:]).square().mean(dim=(0, 2, 3, 4))
    terms = 1 + rollout.logvar - rollout.mu.square() - rollout.logvar.exp()
    kl = -0.5 * terms.sum(dim=(0, 2, 3, 4)) / len(frames)
    return ELBO((mse + beta * kl).mean(), mse, kl)


def gradient_norms(model):
    """The norm of the gradient of each network's parameters, by the network's name."""
    return {
        name: torch.sqrt(sum(p.grad.square().sum() for p in network.parameters())).item()
        for name, network in model.named_children()
    }


def load_reference(path, norm="frame"):
    """A `ReferenceCVAE` of the widths and with the weights of a published checkpoint."""
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    f = len(state["frame_transformation.6.bias"])
    p = len(state["label_transformation.4.conv2.bias"])
    n = len(state["Gaussian_Predictor.6.bias"]) // 2
    d = len(state["Decoder_Fusion.5.bias"])
    model = ReferenceCVAE(f, p, n, d, norm=norm)
    model.load_state_dict(state, strict=True)
    return model.eval()
