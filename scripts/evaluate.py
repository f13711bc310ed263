#!/usr/bin/env python
"""Evaluates a trained model: PSNR and SSIM of long rollouts, and of copying a frame; see --help."""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli, runs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Predict validation and test videos from their first frames, compare with the "
        "truth, and write csv, plots and a GIF of the first video of each split into a new folder. "
        "Without true frames the GIF shows prediction and pose.",
        allow_abbrev=False,
    )
    parser.add_argument("model", type=Path, help="run folder (its best.keras) or .keras file")
    parser.add_argument("--data", help="'builtin', 'builtin-ball' or a folder (that of the run)")
    cli.add_frame_size(parser, "size of the frames (that of the model's training)")
    parser.add_argument("--out", type=Path, help="new folder (RUN/evaluation or evaluation)")
    parser.add_argument("--temperature", type=float, help="of the prior noise (the model's own)")
    parser.add_argument("--seed", type=int, default=0, help="of the prior noise (0)")
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="also the mean and the best of N samples of each video, at --temperature (there 1), "
        "and a GIF of up to 4 samples of the first video of each split next to the truth; with "
        "--windows, so many samples of each window instead (20)",
    )
    parser.add_argument(
        "--windows",
        type=int,
        nargs="?",
        const=50,
        metavar="N",
        help="also N short windows (50) of each split, each predicted from a true frame at the "
        "temperatures 0 and 1: mean and best of --samples, posterior's z, KL, copied frames",
    )
    parser.add_argument(
        "--horizon", type=int, metavar="FRAMES", help="predicted frames of a window (25)"
    )
    parser.add_argument(
        "--submission",
        type=Path,
        metavar="FILE.csv",
        help="write the test sequences, with truth or without, as the dance benchmark's file too",
    )
    cli.add_device(parser)
    options = parser.parse_args(arguments)
    with cli.reported_errors():
        stored = runs.read_config(options.model) if options.model.is_dir() else {}
        data = options.data or stored.get("data", "builtin")
        out = options.out or (options.model if stored else Path()) / "evaluation"
        cli.check_out(out)
        cli.start_backend(device=options.device)
        settings = vars(options) | {"data": data, "out": out}
        cli.show(settings)
        del settings["device"]

        from keras_cvae.evaluation.evaluator import check_evaluation, evaluate_data
        from keras_cvae.evaluation.tables import samples_table, windows_table
        from keras_cvae.model.loading import load_model

        short = options.windows, options.horizon
        check_evaluation(data, out, options.samples, options.submission, *short)
        model = load_model(settings.pop("model"), compile=False)
        metrics = evaluate_data(model, **settings)
    for split in ("val", "test"):
        _show(split, metrics, samples_table, windows_table)
    if "test_psnr" not in metrics and (out / "test.gif").is_file():
        print(f"test, no true frames: the prediction of the first video is {out / 'test.gif'}")
    print(f"PSNR in dB; the csv, plots and GIF are in {out}")
    if options.submission:
        height, width = metrics["frame_size"]
        print(
            f"submission: {options.submission}; score it with scripts/score.py "
            f"{options.submission} TRUE_FOLDER --frame-size {height} {width}"
        )
    return 0


def _show(split, metrics, samples_table, windows_table):
    def of(start):
        return {n.removeprefix(start): v for n, v in metrics.items() if n.startswith(start)}

    sampled, windows = of(f"{split}_samples_"), of(f"{split}_windows_")
    values = {n: v for n, v in of(f"{split}_").items() if isinstance(v, float | int)}
    values = {n: v for n, v in values.items() if not n.startswith(("samples_", "windows_"))}
    if values:
        baselines = metrics["baselines" if split == "val" else f"{split}_baselines"]
        print(f"{split}, mean over all predicted frames:")
        values |= {n: v for n, v in baselines.items() if v is not None}
        cli.show({name: f"{value:.4g}" for name, value in values.items()})
    if sampled:
        print(f"{split}, samples:\n{samples_table(sampled)}")
    if windows:
        print(f"{split}, windows of {windows['horizon']} frames:\n{windows_table(windows)}")


if __name__ == "__main__":
    sys.exit(main())
