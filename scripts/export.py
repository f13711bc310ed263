#!/usr/bin/env python
"""Exports a trained model to the formats of other programs; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Export a trained model. Each export is loaded back with its own runtime and "
        "compared with Keras before it is kept; a manifest (.json) is written next to it.",
        allow_abbrev=False,
    )
    parser.add_argument("model", type=Path, help="run folder (its best.keras) or .keras file")
    parser.add_argument(
        "--format",
        required=True,
        choices=["keras", "weights", "onnx", "tf_saved_model", "torch", "all"],
        help="keras: without optimiser; torch: an exported program (.pt2); all: a folder of all "
        "that can be written here",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="new file x.keras, x.weights.h5, x.onnx or x.pt2, or folder for tf_saved_model and "
        "all; x.zip is a bundle to send",
    )
    cli.add_frame_size(
        parser, "size of the frames that the exported model predicts (that of the training)"
    )
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        cli.check_out(options.out)
        cli.start_backend()
        cli.show(vars(options))

        from keras_cvae.exporting.files import export_file

        export_file(**vars(options))
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
