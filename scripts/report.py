#!/usr/bin/env python
"""Makes a report of finished runs; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.files import new_folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Compare finished runs: report.html, report.md and figures in a new folder. "
        "Runs that differ in their seed alone are one line, with mean and spread.",
        allow_abbrev=False,
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="finished run folder")
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--title", default="Runs compared", help="(Runs compared)")
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        cli.check_out(options.out)
        cli.start_backend()

        from keras_cvae.report.collect import by_settings
        from keras_cvae.report.write import write_report

        labelled = by_settings(options.runs)
        for label, folders in labelled.items():
            print(f"  {label}: {', '.join(map(str, folders))}")
        with new_folder(options.out) as folder:
            written = write_report(labelled, folder, options.title)
    for path in written:
        print(options.out / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
