#!/usr/bin/env python
"""Lets the person of a model move as the one in a video does; see --help."""

import argparse
import functools
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.errors import UserError
from keras_cvae.inference import needs_keras


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Predict the person that a model was trained on, with the poses of another "
        "person: of a video, or of keypoints that another tool wrote.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        type=Path,
        help="run folder (its best.keras), .keras file, or what scripts/export.py wrote",
    )
    cli.add_video_source(parser)
    parser.add_argument(
        "--normalise",
        choices=("limbs", "global", "none"),
        help="how the driver's body is fitted to the trained person's: limb by limb (default), as "
        "a whole (default where the model keeps nothing of its person), or not",
    )
    parser.add_argument(
        "--first-frame", type=Path, metavar="IMAGE", help="the given frame (nearest in pose)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="new file x.gif or x.mp4, or folder of PNGs frames/"
    )
    parser.add_argument("--temperature", type=float, help="of the prior noise (the model's own)")
    parser.add_argument("--seed", type=int, default=0, help="of the prior noise (0)")
    parser.add_argument("--zoom", type=int, default=1, help="whole factor of enlargement (1)")
    parser.add_argument("--smooth", action="store_true", help="enlarge smoothly (true pixels)")
    parser.add_argument(
        "--side-by-side", action="store_true", help="show the driver and its skeleton too"
    )
    cli.add_trust(parser)
    options = vars(parser.parse_args(arguments))
    with cli.reported_errors():
        if options["video"] is None and options["keypoints"] is None:
            raise UserError("give --video FILE, --keypoints FILE, or both: something must drive.")
        cli.check_out(options["out"])
        if needs_keras(options["model"]):
            cli.start_backend()
        cli.show(options)

        from keras_cvae.inference.drive import drive
        from keras_cvae.inference.driver import read_driver

        names = ("video", "keypoints", "person", "fps", "start", "end", "limit")
        source = {name: options.pop(name) for name in names}
        read = functools.partial(read_driver, **source, pose_models=options["pose_models"])
        options["method"] = options.pop("normalise")
        driven = drive(read=read, **options)
    print("\n".join(driven.report))
    print(f"{options['out']}: {driven.written}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
