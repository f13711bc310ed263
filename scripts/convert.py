#!/usr/bin/env python
"""Converts between checkpoints of the published PyTorch code and `.keras` files; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.errors import UserError
from keras_cvae.files import check_new

CHECKPOINT_ENDINGS = (".ckpt", ".pt", ".pth")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Convert a checkpoint of the published PyTorch code (.ckpt, .pt, .pth) to a "
        ".keras file, or a .keras file or run folder of the lab architecture to a checkpoint. The "
        "file endings choose.",
        allow_abbrev=False,
    )
    parser.add_argument("source", type=Path, help="checkpoint, .keras file or run folder")
    parser.add_argument("target", type=Path, help="new file; its ending says what it is to be")
    parser.add_argument(
        "--output",
        choices=("none", "sigmoid", "clip"),
        help="how the code that trained the checkpoint bounds its output: a checkpoint does not "
        "say (default: none, as published, and how much of a first rollout leaves [0, 1])",
    )
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        from_checkpoint = _direction(options.source, options.target)
        if options.output and not from_checkpoint:
            raise UserError("--output is for reading a checkpoint: a .keras file has its own.")
        check_new(options.target)
        cli.start_backend()

        from keras_cvae.model.loading import load_model
        from keras_cvae.published.bound import outside_unit
        from keras_cvae.published.checkpoint import load_lab_checkpoint, save_lab_checkpoint

        share = None
        if from_checkpoint:
            model = load_lab_checkpoint(options.source, output=options.output or "none")
            if not options.output:
                share = outside_unit(model, _FRAMES)
            model.save(options.target)
        else:
            model = load_model(options.source)
            save_lab_checkpoint(model, options.target)
    config = model.get_config()
    cli.show({name: config[name] for name in _SHOWN} | {"parameters": f"{model.count_params():,}"})
    if share is not None:
        print(_about_the_bound(share))
    print(f"{options.source} -> {options.target}")
    return 0


_FRAMES = 20  # of the rollout that is measured
_SHOWN = ("frame_features", "pose_features", "latent_maps", "decoder_features", "output")


def _about_the_bound(share):
    """What the share of values outside [0, 1] says, as far as it says anything."""
    return (
        "A checkpoint does not say whether its output is bounded: no bound is assumed, as "
        f"published. In a rollout of {_FRAMES} frames of the built-in data {share:.1%} of the "
        "values lie outside [0, 1]. That is little for a trained model without a bound, and most "
        "of them for one whose bound is missing. If the code that trained it ends in a sigmoid, "
        "give --output sigmoid; if it clips, --output clip."
    )


def _direction(source, target):
    """Whether a checkpoint is to be read (else one is to be written)."""
    reads, writes = (path.suffix.lower() in CHECKPOINT_ENDINGS for path in (source, target))
    if reads and target.suffix == ".keras":
        return True
    if writes and (source.suffix == ".keras" or source.is_dir()):
        return False
    raise UserError(
        f"One of the two must be a .keras file (or, to read, a run folder) and the other end in "
        f"{', '.join(CHECKPOINT_ENDINGS)}; got {source} and {target}."
    )


if __name__ == "__main__":
    sys.exit(main())
