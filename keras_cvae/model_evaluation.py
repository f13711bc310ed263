"""A model's evaluation on the validation and test videos of some data, as a folder of results."""

import os
from pathlib import Path

from keras_cvae import results, runs, sampling_results
from keras_cvae.data import has_split, load_videos
from keras_cvae.data.synthetic.dataset import FRAME_SIZE
from keras_cvae.evaluation import mean_frame
from keras_cvae.model.loading import load_model


def evaluate_model(
    model, data, out, frame_size=None, temperature=None, seed=0, samples=None, submission=None
):
    """Predicts validation and test videos, compares them with the truth and writes what it finds.

    Into `out` go `metrics.json` and, for each split, what `results.write_evaluation` writes.

    Args:
        model: path of a run folder, whose `best.keras` is taken, or of a `.keras` file.
        data: `"builtin"` or a folder in the dance-lab layout.
        out: path of a new folder, written whole or not at all.
        frame_size: (height, width) of the frames; `None` is that of the model's training.
        temperature: float >= 0, scale of the prior noise, or `None` for the model's own.
        seed: int, of the prior noise.
        samples: int >= 1, also evaluate so many samples of each video, at `temperature` or 1, or
            `None`.
        submission: path of a new csv file for all test sequences, see `submission`, or `None`.

    Returns:
        dict: for `val` and `test`, as far as the data have them with true frames, a dict of floats,
        see `results.summary` and `latent_use`; for `val_samples` and `test_samples` see
        `sampling_results.sample_with_progress`. And `frame_size`, the (height, width) predicted.

    Raises:
        ValueError: for paths or values that will not do, and for data with nothing to evaluate.
    """
    _check(data, out, samples, submission)  # not only when all is predicted
    model = load_model(model, compile=False)
    size = tuple(frame_size or model.frame_size or FRAME_SIZE)
    training_mean = None
    if has_split(data, "train"):
        training_mean = mean_frame(load_videos(data, "train", size))
    metrics = {}
    with runs.new_folder(out) as folder:
        for split in ("val", "test"):
            evaluations = []
            if videos := results.true_videos(data, split, size):
                evaluations = results.evaluate_with_progress(
                    model, split, videos, training_mean, temperature, seed
                )
                results.write_evaluation(folder, split, evaluations, videos)
                metrics[split] = results.summary(evaluations)
                if samples:
                    metrics[f"{split}_samples"] = sampling_results.sample_with_progress(
                        model, split, videos, samples, temperature, seed
                    )
                if split == "val":
                    metrics[split] |= results.latent_use_with_progress(model, videos)
        if submission:
            results.write_submission_with_progress(
                *(submission, model, data, size, temperature, seed),
                evaluations,  # of the test split, the last
            )
        elif not metrics:
            raise ValueError(f"{data} has neither a val split nor a test split with true frames.")
        metrics["frame_size"] = list(size)
        runs.write_json(folder / runs.METRICS, metrics)
    return metrics


def _check(data, out, samples, submission):
    runs.check_new(out)
    if samples is not None and samples < 1:
        raise ValueError(f"--samples must be at least 1; got {samples}.")
    if not submission:
        return
    if not has_split(data, "test"):
        raise ValueError(f"{data} has no test split to write as --submission.")
    if os.path.lexists(submission):
        raise ValueError(f"{submission} exists already; --submission writes a new file.")
    if not Path(submission).absolute().parent.is_dir():
        raise ValueError(f"The folder of --submission {submission} does not exist; make it first.")
