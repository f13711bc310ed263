#!/usr/bin/env python
"""Evaluates a trained model: PSNR and SSIM of long roll-outs beside copy baselines; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli, runs


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Predict validation and test videos from their first frames, compare with the "
        "truth, and write csv, plots and a GIF of the first video of each split into a new folder.",
        allow_abbrev=False,
    )
    parser.add_argument("model", type=Path, help="run folder (its best.keras) or .keras file")
    parser.add_argument("--data", help="'builtin' or a folder (that of the run)")
    parser.add_argument(
        "--frame-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="size of the frames (that of the model's training)",
    )
    parser.add_argument("--out", type=Path, help="new folder (RUN/evaluation or evaluation)")
    parser.add_argument("--temperature", type=float, help="of the prior noise (the model's own)")
    parser.add_argument("--seed", type=int, default=0, help="of the prior noise (0)")
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="also the mean and the best of N samples of each video, at --temperature (there 1)",
    )
    parser.add_argument(
        "--submission",
        type=Path,
        metavar="FILE.csv",
        help="write the test sequences, with truth or without, as the dance benchmark's file too",
    )
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        stored = runs.read_config(options.model) if options.model.is_dir() else {}
        data = options.data or stored.get("data", "builtin")
        out = options.out or (options.model if stored else Path()) / "evaluation"
        runs.check_new(out)
        cli.start_backend()
        size = options.frame_size or stored.get("frame_size")
        settings = vars(options) | {"data": data, "out": out, "frame_size": size}
        cli.show(settings)

        from keras_cvae.model_evaluation import evaluate_model
        from keras_cvae.sampling_results import samples_table

        metrics = evaluate_model(**settings)
    for split in ("val", "test"):
        if split in metrics:
            print(f"{split}, mean over all predicted frames:")
            cli.show({name: f"{value:.4g}" for name, value in metrics[split].items()})
        if sampled := metrics.get(f"{split}_samples"):
            print(f"{split}, samples:\n{samples_table(sampled)}")
    print(f"PSNR in dB; the csv, plots and GIF are in {out}")
    if options.submission:
        height, width = metrics["frame_size"]
        print(
            f"submission: {options.submission}; score it with scripts/score.py "
            f"{options.submission} TRUE_FOLDER --frame-size {height} {width}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
