#!/usr/bin/env python
"""Evaluates a trained model: PSNR and SSIM of long roll-outs beside copy baselines; see --help."""

import argparse
import os
import sys
from pathlib import Path

from keras_cvae import cli, runs
from keras_cvae.data import has_split


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
        help="size of the frames (that of the run)",
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
        size = tuple(options.frame_size or stored.get("frame_size", (32, 64)))
        out = options.out or (options.model if stored else Path()) / "evaluation"
        runs.check_new(out)
        if options.submission and not has_split(data, "test"):
            raise ValueError(f"{data} has no test split to write as --submission.")
        if options.submission and os.path.lexists(options.submission):
            raise ValueError(
                f"{options.submission} exists already; --submission writes a new file."
            )
        if options.submission and not options.submission.absolute().parent.is_dir():
            raise ValueError(
                f"The folder of --submission {options.submission} does not exist; make it first."
            )
        if options.samples is not None and options.samples < 1:
            raise ValueError(f"--samples must be at least 1; got {options.samples}.")
        cli.start_backend()
        cli.show({"model": options.model, "data": data, "frame_size": size, "out": out})

        from keras_cvae import results, sampling_results
        from keras_cvae.data import load_videos
        from keras_cvae.evaluation import mean_frame
        from keras_cvae.model.loading import load_model

        model = load_model(options.model, compile=False)
        training_mean = None
        if has_split(data, "train"):
            training_mean = mean_frame(load_videos(data, "train", size))
        metrics = {}
        with runs.new_folder(out) as folder:
            for split in ("val", "test"):
                evaluations = []
                if videos := results.true_videos(data, split, size):
                    evaluations = results.evaluate_with_progress(
                        model, split, videos, training_mean, options.temperature, options.seed
                    )
                    results.write_evaluation(folder, split, evaluations, videos)
                    metrics[split] = results.summary(evaluations)
                    if options.samples:
                        metrics[f"{split}_samples"] = sampling_results.sample_with_progress(
                            model, split, videos, options.samples, options.temperature, options.seed
                        )
                    if split == "val":
                        metrics[split] |= results.latent_use_with_progress(model, videos)
            if options.submission:
                results.write_submission_with_progress(
                    *(options.submission, model, data, size, options.temperature, options.seed),
                    evaluations,  # of the test split, the last
                )
            elif not metrics:
                raise ValueError(
                    f"{data} has neither a val split nor a test split with true frames."
                )
            runs.write_json(folder / runs.METRICS, metrics)
    for split in ("val", "test"):
        if split in metrics:
            print(f"{split}, mean over all predicted frames:")
            cli.show({name: f"{value:.4g}" for name, value in metrics[split].items()})
        if sampled := metrics.get(f"{split}_samples"):
            print(f"{split}, samples:\n{sampling_results.samples_table(sampled)}")
    print(f"PSNR in dB; the csv, plots and GIF are in {out}")
    if options.submission:
        height, width = size
        print(
            f"submission: {options.submission}; score it with scripts/score.py "
            f"{options.submission} TRUE_FOLDER --frame-size {height} {width}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
