"""A report of finished runs: figures, `report.html`, `report.md`."""

from pathlib import Path

from keras_cvae import plots
from keras_cvae.data import load_videos
from keras_cvae.evaluation import predict_videos
from keras_cvae.files import written_whole
from keras_cvae.model.loading import load_model
from keras_cvae.plots.strategies import styles_of
from keras_cvae.report import collect
from keras_cvae.report.films import player_data
from keras_cvae.report.page import html_page, markdown_page

HTML, MARKDOWN, FIGURES = "report.html", "report.md", "figures"
_STRIP = (0, 0.02, 0.1, 0.25, 0.5, 0.75, 1)  # shares of the video


def write_report(labelled, out, title="Runs compared"):
    """Writes `report.html`, `report.md` and `figures/` about finished runs into a folder.

    An older report there is replaced; anything else in the folder stays.

    Args:
        labelled: dict label -> list of run folders that differ in their seed alone.
        out: str or `Path`, the folder.
        title: str.

    Returns:
        list of `Path`: the page, the Markdown file.

    Raises:
        UserError: for unfinished runs, or runs of different data.
    """
    groups = collect.collect(labelled)
    out = Path(out)
    figures = out / FIGURES
    figures.mkdir(parents=True, exist_ok=True)
    video, predictions = _predictions(groups)
    drawn = _draw(groups, video, predictions, figures)
    player = player_data(video, predictions)
    looks = styles_of(predictions)
    for film in player["films"]:
        if "psnr" in film:
            film["colour"] = looks[film["name"]]["color"]
    gifs = {group.label: group.folders[0] / "val.gif" for group in groups}
    shared, different = collect.common_settings(groups)
    settings = {name: str(value) for name, value in shared.items()}
    for name, values in different.items():
        settings[name] = ", ".join(
            f"{group.label}: {value}" for group, value in zip(groups, values, strict=True)
        )
    text = {
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


def _predictions(groups):
    """The first validation video, and what the first run of each group predicts of it."""
    config = groups[0].config
    video = load_videos(config["data"], "val", tuple(config["frame_size"]))[0]
    predictions = {}
    for group in groups:
        model = load_model(group.folders[0], compile=False)
        (predictions[group.label],) = predict_videos(
            model, [video], label=f"predicting, {group.label}"
        )
    return video, predictions


def _draw(groups, video, predictions, folder):
    """The figures: dict caption -> `Path` of the PNG."""
    runs = {group.label: group.folders for group in groups}
    drawn = {}

    def keep(caption, written):
        drawn[caption] = written[0]

    first = groups[0]
    keep(
        f"Teacher-forcing ratio and loss ({first.label})",
        plots.plot_teacher_forcing(first.folders[0], folder / "teacher_forcing.png", True),
    )
    keep("Loss, MSE and KL", plots.plot_losses_by_strategy(runs, folder / "losses.png", True))
    keep("KL weight beta", plots.plot_beta_by_strategy(runs, folder / "beta.png", True))
    keep(
        "PSNR of each predicted validation frame, beside the copy baselines",
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


def _summary(groups):
    counts = ", ".join(f"{group.label} {len(group.folders)}" for group in groups)
    return (
        f"Runs: {counts}. Videos are predicted from their first frame and the poses alone; PSNR is "
        "the mean over all predicted validation frames, of the model of the best epoch. The "
        "baselines copy a frame; the previous true frame sees the truth."
    )


def _notes(groups):
    """What z does, a sentence for each group."""
    notes = []
    for group in groups:
        kl, gap = group.values("val_kl_nats"), group.values("val_posterior_psnr")
        if not len(kl) or not len(gap):
            continue
        gap = gap.mean() - group.values("val_psnr").mean()
        active, maps = (group.values(f"val_{name}")[0] for name in ("active_maps", "latent_maps"))
        notes.append(
            f"{group.label}: z has {active:.0f} of {maps:.0f} maps active and carries "
            f"{kl.mean():.3g} nats per frame; knowing the posterior's z changes the PSNR by "
            f"{gap:+.2f} dB."
        )
    if any((group.config["tfr"] or 0) > 0 for group in groups):
        return notes
    return [*notes, "Teacher forcing was off in all runs (ratio 0)."]
