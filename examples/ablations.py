"""What matters to the multiscale model: variants of it, each trained for the same time.

    KERAS_BACKEND=torch python examples/ablations.py --data builtin --csv builtin.csv

The variants are in ablation_variants.py. Prints a row of a Markdown table for each, and adds a row
to the csv. docs/architectures.md discusses the results.
"""

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import torch
from ablation_variants import VARIANTS

from keras_cvae import CVAE, Clips
from keras_cvae.callbacks import KLAnnealing, TeacherForcing
from keras_cvae.data import load_videos
from keras_cvae.evaluation import copy_baselines, evaluate_videos, mean_frame
from keras_cvae.evaluation.latent_use import latent_use
from keras_cvae.training.build import build_model
from keras_cvae.training.resolve import resolve

COLUMNS = (
    *("variant", "parameters", "steps", "psnr", "first_100", "last_100", "t1"),
    *("posterior", "kl_nats", "active_maps"),
)

CLOCKS = {"processor": time.process_time, "wall": time.perf_counter}


class Budget(keras.callbacks.Callback):
    """Ends training after some time by `clock`; learning rate and forcing fall over that time.

    Args:
        seconds: the time.
        clock: returns seconds.
        lr: the learning rate at first.
        constant: whether the learning rate stays.
        forcing: whether the teacher-forcing ratio falls from 1 to 0 in the first half.
    """

    def __init__(
        self, seconds: float, clock: Callable[[], float], lr: float, constant: bool, forcing: bool
    ):
        super().__init__()
        self.seconds, self.clock = seconds, clock
        self.lr, self.constant, self.forcing = lr, constant, forcing
        self.steps = 0
        self.start: float | None = None

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if self.start is None:
            self.start = self.clock()
        share = min((self.clock() - self.start) / self.seconds, 1)
        cosine = 0.01 + 0.99 * (1 + np.cos(np.pi * share)) / 2
        self.model.optimizer.learning_rate.assign(self.lr * (1 if self.constant else cosine))
        if self.forcing:
            self.model.teacher_forcing_ratio.assign(max(1 - 2 * share, 0))
        self.steps += 1
        if share >= 1:
            self.model.stop_training = True


def measure(name: str, data: str, seconds: float, clock: Callable[[], float], seed: int) -> dict:
    """Trains a variant and evaluates it on the validation videos; returns a row of `COLUMNS`."""
    options = dict(VARIANTS[name])
    kind, cut = options.pop("model", CVAE), options.pop("clips", Clips)
    constant = options.pop("constant", False)
    forcing = options.pop("tfr_decay_step", None) == "half"
    # The same batch on all data, where the variant does not say otherwise.
    fixed = {"data": data, "seed": seed, "lr_schedule": "constant", "batch_size": 4}
    config = resolve({**fixed, **options})
    keras.utils.set_random_seed(seed)
    train, val = (load_videos(data, split, config.frame_size) for split in ("train", "val"))
    clips = cut(train, config.clip_length, config.batch_size, mirror=config.mirror, seed=seed)
    model = build_model(config, steps=1, kind=kind)
    budget = Budget(seconds, clock, config.lr, constant, forcing)
    averaged = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if config.ema else []
    beta = KLAnnealing(**config.kl_schedule())
    callbacks = [beta, budget, *averaged]
    if not forcing:
        callbacks.append(TeacherForcing(**config.forcing_schedule()))
    model.fit(clips, epochs=10**6, shuffle=False, verbose=0, callbacks=callbacks)

    psnr = np.concatenate([e.psnr for e in evaluate_videos(model, val, temperature=0.0)])
    sampled = np.concatenate([e.psnr for e in evaluate_videos(model, val, temperature=1.0)])
    use = latent_use(model, val)
    # Where the first and the last hundred frames overlap, they say nothing.
    ends = (psnr[:100].mean(), psnr[-100:].mean()) if len(psnr) >= 200 else ("–", "–")
    values = (name, model.count_params(), budget.steps, psnr.mean(), *ends, sampled.mean())
    values += (use["posterior_psnr"], use["kl_nats"], use["active_maps"])
    return dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="builtin")
    parser.add_argument("--minutes", type=float, default=3.0, help="training time of each (3)")
    parser.add_argument("--clock", choices=list(CLOCKS), default="processor")
    parser.add_argument("--threads", type=int, default=1, help="PyTorch's threads (1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--csv", type=Path, help="csv file, rows are added")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, val = (load_videos(options.data, split, (32, 64)) for split in ("train", "val"))
    for name, curve in copy_baselines(val[0].frames, mean_frame(train)).items():
        print(f"{name}: {curve.mean():.2f} dB")
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    for name in options.only:
        row = measure(name, options.data, options.minutes * 60, CLOCKS[options.clock], options.seed)
        shown = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()]
        print("| " + " | ".join(shown) + " |", flush=True)
        if options.csv:
            new = not options.csv.exists()
            with open(options.csv, "a", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                if new:
                    writer.writeheader()
                writer.writerow(row)


if __name__ == "__main__":
    main()
