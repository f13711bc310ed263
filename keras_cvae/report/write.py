"""A report of finished runs: figures, `report.html`, `report.md`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvae import plots
from keras_cvae.data.sources import load_videos
from keras_cvae.data.videos import Video
from keras_cvae.evaluation import predict_videos
from keras_cvae.evaluation.finite import check_prediction
from keras_cvae.files import written_whole
from keras_cvae.model.loading import load_model
from keras_cvae.plots.sources import kl_units
from keras_cvae.plots.strategies import styles_of
from keras_cvae.report import collect
from keras_cvae.report.page import html_page, markdown_page
from keras_cvae.report.player import player_data

HTML, MARKDOWN, FIGURES = "report.html", "report.md", "figures"
_STRIP = (0, 0.02, 0.1, 0.25, 0.5, 0.75, 1)  # positions in the video, as shares of it


def write_report(
    labelled: Mapping[str, Sequence[str | os.PathLike]],
    out: str | os.PathLike,
    title: str = "Runs compared",
) -> list[Path]:
    """Writes `report.html`, `report.md` and `figures/` about finished runs into a folder.

    An older report there is replaced; all other files stay.

    Args:
        labelled: label -> run folders that differ in their seed alone.
        out: the folder to write into.
        title: of the report.

    Returns:
        The paths of the page and of the Markdown file.

    Raises:
        UserError: if a run is not finished, one of its files holds something else, its prediction
            is not finite, or the runs differ in their data or frame size.
    """
    groups = collect.collect(labelled)
    out = Path(out)
    figures = out / FIGURES
    figures.mkdir(parents=True, exist_ok=True)
    video, predictions = _predictions(groups)
    drawn = _draw(groups, video, predictions, figures)
    player = player_data(video, predictions)
    looks = styles_of(predictions)
    for shown in player["films"]:
        if "psnr" in shown:
            shown["colour"] = looks[shown["name"]]["color"]
    gifs = {group.label: group.folders[0] / "val.gif" for group in groups}
    gifs = {label: path for label, path in gifs.items() if path.is_file()}
    shared, different = collect.common_settings(groups)
    settings = {name: str(value) for name, value in shared.items()}
    for name, values in different.items():
        settings[name] = ", ".join(
            f"{group.label}: {value}" for group, value in zip(groups, values, strict=True)
        )
    text: dict[str, Any] = {
        "title": title,
        "summary": _summary(groups),
        "table": collect.table(groups),
        "notes": _notes(groups),
        "settings": settings,
    }
    page = html_page(**text, player=player, figures=drawn, gifs=gifs)
    paths = {caption: f"{FIGURES}/{path.name}" for caption, path in drawn.items()}
    written = out / HTML, out / MARKDOWN
    for path, content in zip(written, (page, markdown_page(**text, figures=paths)), strict=True):
        with written_whole(path) as partial:
            partial.write_text(content, "utf-8")
    return list(written)


def _predictions(groups: Sequence[collect.Group]) -> tuple[Video, dict[str, np.ndarray]]:
    """The first validation video, and its prediction by the first run of each group."""
    config = groups[0].config
    video = load_videos(config["data"], "val", tuple(config["frame_size"]))[0]
    predictions = {}
    for group in groups:
        model = load_model(group.folders[0], compile=False)
        (predictions[group.label],) = predict_videos(
            model, [video], label=f"predicting, {group.label}"
        )
        check_prediction(predictions[group.label], f"{video.name} by {group.folders[0]}")
    return video, predictions


def _draw(
    groups: Sequence[collect.Group],
    video: Video,
    predictions: Mapping[str, np.ndarray],
    folder: Path,
) -> dict[str, Path]:
    """The figures: dict caption -> the PNG."""
    runs = {group.label: group.folders for group in groups}
    drawn: dict[str, Path] = {}

    def keep(caption: str, written: Sequence[Path]) -> None:
        drawn[caption] = written[0]

    first = groups[0]
    keep(
        f"Teacher-forcing ratio and loss ({first.label})",
        plots.plot_teacher_forcing(first.folders[0], folder / "teacher_forcing.png", True),
    )
    units = kl_units(folder for folders in runs.values() for folder in folders)
    keep(
        f"Loss, MSE and KL (in {' or '.join(units)})" if units else "Loss, MSE and KL",
        plots.plot_losses_by_strategy(runs, folder / "losses.png", True),
    )
    keep("KL weight beta", plots.plot_beta_by_strategy(runs, folder / "beta.png", True))
    keep(
        "PSNR of each predicted validation frame, and of the copy-frame baselines",
        plots.plot_psnr_by_strategy(runs, folder / "psnr_per_frame.png", True),
    )
    last = len(video.frames) - 1
    shown = sorted({round(last * share) for share in _STRIP})
    for number, (label, prediction) in enumerate(predictions.items()):
        path = folder / f"film_strip_{number}.png"
        frames = video.frames, prediction, video.poses
        keep(
            f"Truth, prediction, pose, error: {label}",
            plots.plot_film_strip(*frames, shown, path, overwrite=True),
        )
    return drawn


def _summary(groups: Sequence[collect.Group]) -> str:
    counts = ", ".join(f"{group.label} {len(group.folders)}" for group in groups)
    return (
        f"Runs: {counts}. Videos are predicted from their first frame and the poses alone. PSNR is "
        "the mean over all predicted validation frames, with the model of the best epoch. The "
        "copy-frame baselines repeat a frame; only the previous true frame uses the truth."
    )


def _notes(groups: Sequence[collect.Group]) -> list[str]:
    """How z is used: a sentence for each group."""
    notes = []
    for group in groups:
        names = ("val_kl_nats", "val_posterior_psnr", "val_psnr", "val_active_maps")
        found = [group.values(name) for name in (*names, "val_latent_maps")]
        if not all(map(len, found)):
            continue
        kl, posterior, psnr = (values.mean() for values in found[:3])
        active, maps = (values[0] for values in found[3:])
        notes.append(
            f"{group.label}: {active:.0f} of {maps:.0f} latent channels are active, and z carries "
            f"{kl:.3g} nats per frame. With the posterior's z in place of the prior's the "
            f"PSNR changes by {posterior - psnr:+.2f} dB."
        )
    if any(group.config.get("tfr") not in (None, 0) for group in groups):
        return notes
    return [*notes, "Teacher forcing was off in all runs (ratio 0)."]
