#!/usr/bin/env python
"""Serves a page to play with a model: drag a skeleton, and the dancer follows; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli, saved_models
from keras_cvae.errors import UserError, optional_package
from keras_cvae.inference import needs_keras

DEFAULT_MODEL = Path(saved_models.__path__[0]) / "builtin_dancer.onnx"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Serve a page on which the joints of a skeleton are dragged and the predicted "
        "frame follows, and open it in the browser. The model's poses must be those of the "
        "built-in data, or of a data folder with joints.npz.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        default=DEFAULT_MODEL,
        help="run folder (its best.keras), .keras file, or what scripts/export.py wrote (the "
        "pretrained dancer)",
    )
    parser.add_argument(
        "--port",
        type=int,
        help="to listen at; 0 is a free one (8000, or a free one if it is taken)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="to listen at (127.0.0.1: this machine alone); with another one, everybody who "
        "reaches it can use the page",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the browser")
    cli.add_trust(parser)
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        if options.port is not None and not 0 <= options.port < 2**16:
            raise UserError(f"--port must be from 0 to {2**16 - 1}; got {options.port}.")
        optional_package("aiohttp", "play", "to serve the page")
        if needs_keras(options.model):
            cli.start_backend()

        from keras_cvae.play.serve import serve

        serve(options.model, options.host, options.port, options.trust, not options.no_browser)
    return 0


if __name__ == "__main__":
    sys.exit(main())
