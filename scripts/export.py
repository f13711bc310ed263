#!/usr/bin/env python
"""Exports a trained model to the formats of other programs; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.errors import UserError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Export a trained model. Each export is loaded back with its own runtime and "
        "compared with Keras before it is kept; a manifest (.json) is written next to it. A page "
        "(--format page) is one HTML file in which anybody can play with the model: it needs a "
        "browser, and neither a server, nor a network, nor Python.",
        allow_abbrev=False,
    )
    parser.add_argument("model", type=Path, help="run folder (its best.keras) or .keras file")
    parser.add_argument(
        "--format",
        required=True,
        choices=["keras", "weights", "onnx", "tf_saved_model", "torch", "page", "all"],
        help="keras: without optimiser; torch: an exported program (.pt2); page: an HTML file that "
        "runs the model in the browser, for models whose poses are drawn by draw_skeleton; all: a "
        "folder of all that can be written here but the page",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="new file x.keras, x.weights.h5, x.onnx, x.pt2 or x.html, or folder for "
        "tf_saved_model and all; x.zip is a bundle to send",
    )
    cli.add_frame_size(
        parser, "size of the frames that the exported model predicts (that of the training)"
    )
    parser.add_argument(
        "--web-runtime",
        type=Path,
        metavar="FOLDER",
        help="of the two files of onnxruntime-web for the page (downloaded once, 33 MB)",
    )
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        given = vars(options)
        if options.web_runtime is not None and options.format != "page":
            raise UserError("--web-runtime is for --format page alone; leave it out.")
        cli.check_out(options.out)
        cli.start_backend()
        cli.show({name: value for name, value in given.items() if value is not None})
        runtime = given.pop("web_runtime")
        if options.format == "page":
            from keras_cvae.play.export_page import export_page

            export_page(options.model, options.out, options.frame_size, runtime)
        else:
            from keras_cvae.exporting.files import export_file

            export_file(**given)
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
