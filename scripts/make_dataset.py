"""Writes the built-in data, a drawn dancer with poses, as a folder in the dance-lab layout.

    python scripts/make_dataset.py --out dance
    python scripts/make_dataset.py --out dance --frame-size 64 128 --train-frames 6000 --seed 1

Train on it with `python scripts/train.py --data dance`.
"""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.data.synthetic.dataset import MAX_VIDEOS
from keras_cvae.errors import UserError
from keras_cvae.images import DEFAULT_FRAME_SIZE


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    cli.add_frame_size(
        parser, "size of the images in pixels (default: 32 64)", default=DEFAULT_FRAME_SIZE
    )
    parser.add_argument("--seed", type=int, default=0, help="other dances (default: 0)")
    for option, default, what in (
        ("--train-frames", 2400, "frames of the training video"),
        ("--val-frames", 630, "frames of the validation video"),
        ("--test-frames", 630, "frames of each test video"),
        ("--test-sequences", 5, "number of test videos"),
    ):
        parser.add_argument(
            option, type=int, default=default, metavar="N", help=f"{what} (default: {default})"
        )
    return parser.parse_args(arguments)


def _check(options: argparse.Namespace) -> None:
    """Checks what `write_dataset` cannot: it would get a list of so many lengths."""
    if not 1 <= options.test_sequences <= MAX_VIDEOS:
        raise UserError(
            f"--test-sequences must be from 1 to {MAX_VIDEOS}; got {options.test_sequences}."
        )


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    height, width = options.frame_size
    with cli.reported_errors():
        _check(options)
    print(
        f"Drawing {options.train_frames} frames to train, {options.val_frames} to validate, "
        f"{options.test_sequences} x {options.test_frames} to test; "
        f"{height} x {width} pixels (height x width), seed {options.seed}.\n"
        f"Output: {options.out}"
    )
    frames = {
        "train": [options.train_frames],
        "val": [options.val_frames],
        "test": [options.test_frames] * options.test_sequences,
    }
    with cli.reported_errors():
        write_dataset(options.out, (height, width), options.seed, frames)
    print(f"Done: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
