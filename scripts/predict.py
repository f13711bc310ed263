#!/usr/bin/env python
"""Predicts a video from one image and a folder of pose images; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.inference import needs_keras


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Predict a video from its first frame and its poses; the first one is the pose "
        "of the given frame.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        type=Path,
        help="run folder (its best.keras), .keras file, or what scripts/export.py wrote",
    )
    parser.add_argument("--first-frame", type=Path, required=True, metavar="IMAGE")
    parser.add_argument(
        "--poses",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="numbered pose images; or keypoints in pixels of the first frame: a joints.npz, or "
        "what another tool wrote (see scripts/drive.py for poses of another person)",
    )
    parser.add_argument("--person", metavar="WHO", help="whose keypoints: see scripts/drive.py")
    parser.add_argument(
        "--out", type=Path, required=True, help="new file x.gif or x.mp4, or folder of PNGs frames/"
    )
    cli.add_frame_size(parser, "size to predict at (that of the model's training)")
    parser.add_argument("--temperature", type=float, help="of the prior noise (the model's own)")
    parser.add_argument("--seed", type=int, default=0, help="of the prior noise (0)")
    parser.add_argument("--fps", type=float, default=24, help="frames per second (24)")
    parser.add_argument("--zoom", type=int, default=1, help="whole factor of enlargement (1)")
    parser.add_argument("--smooth", action="store_true", help="enlarge smoothly (true pixels)")
    parser.add_argument("--side-by-side", action="store_true", help="show the poses too")
    cli.add_trust(parser)
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        cli.check_out(options.out)
        if needs_keras(options.model):
            cli.start_backend()
        cli.show(vars(options))

        from keras_cvae.inference.predict_files import predict_files

        written = predict_files(**vars(options))
    print(f"{options.out}: {written}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
