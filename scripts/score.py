#!/usr/bin/env python
"""Scores a submission file by the dance benchmark's protocol; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.errors import UserError
from keras_cvae.files import check_regular
from keras_cvae.images import DEFAULT_FRAME_SIZE, chosen_frame_size


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Score the submission file that evaluate.py --submission writes: mean PSNR "
        "over frames 1 to 600 of each sequence, range 255, sequences weighted equally.",
        allow_abbrev=False,
    )
    parser.add_argument("submission", type=Path, help="csv file")
    parser.add_argument("truth", help="folder with test/test_truth, 'builtin' or 'builtin-ball'")
    cli.add_frame_size(parser, "size of the submitted frames (32 64)", default=DEFAULT_FRAME_SIZE)
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        if not check_regular(options.submission).is_file():
            raise UserError(f"There is no submission file at {options.submission}.")
        size = chosen_frame_size(options.frame_size)
        cli.start_backend()

        from keras_cvae.data import load_videos
        from keras_cvae.evaluation.rollouts import check_predictable
        from keras_cvae.evaluation.submission import (
            SCORED_FRAMES,
            check_header,
            read_submission,
            score,
        )

        check_header(options.submission, size)  # before true frames are decoded
        videos = load_videos(options.truth, "test", size)
        if unknown := [video.name for video in videos if not video.has_truth]:
            raise UserError(
                f"{options.truth} has no true frames of the test sequence {unknown[0]}; a score "
                "needs them all, in test/test_truth."
            )
        check_predictable(videos, "test")
        truths = [video.frames for video in videos]
        lengths = [len(truth) for truth in truths]
        predictions = read_submission(options.submission, lengths, size)
        scores = score(predictions, truths)
    if "public" not in scores:
        print(
            f"note: the protocol is of five sequences of over {SCORED_FRAMES} frames; here are "
            f"{len(truths)} of {min(map(len, truths))} to {max(map(len, truths))}: the plain mean"
        )
    cli.show({name: f"{value:.3f} dB" for name, value in scores.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
