"""Best of N for people: with progress, beside z = 0, as a table."""

from keras_cvae.progress import Progress
from keras_cvae.sampling import sample_video, summarise


def sample_with_progress(model, split, videos, samples, temperature=None, seed=0):
    """Mean and best of N samples of each video, and beside them the roll-out with z = 0.

    Args:
        model, split, videos, seed: as in `evaluate_with_progress`.
        samples: int >= 1.
        temperature: float >= 0; `None` is 1, the prior itself.

    Returns:
        dict: what `keras_cvae.sampling.summarise` gives, `temperature`, and `psnr_zero` and
        `ssim_zero`, the means of the roll-out with z = 0.
    """
    temperature = 1.0 if temperature is None else temperature
    frames = sum(len(video.poses) - 1 for video in videos)
    with Progress((samples + 1) * frames, f"sampling {split}") as progress:
        sampled = [sample_video(model, v, samples, temperature, seed, progress) for v in videos]
        zero = summarise([sample_video(model, v, 1, 0.0, progress=progress) for v in videos])
    silent = {f"{metric}_zero": zero[f"{metric}_mean"] for metric in ("psnr", "ssim")}
    return {**summarise(sampled), "temperature": temperature, **silent}


def samples_table(sampled):
    """What `sample_with_progress` gave, as lines of text."""

    def interval(name):
        half = sampled[f"{name}_ci"]
        return f"{sampled[name]:.4g}" + (f" ± {half:.2g}" if half is not None else "")

    lines = [f"  {'':24}  {'PSNR, dB':>16}  {'SSIM':>16}"]
    for label, kind in (
        (f"mean of {sampled['samples']} samples", "mean"),
        (f"best of {sampled['samples']} samples", "best"),
    ):
        lines.append(
            f"  {label:24}  {interval(f'psnr_{kind}'):>16}  {interval(f'ssim_{kind}'):>16}"
        )
    zero = (f"{sampled[f'{metric}_zero']:.4g}" for metric in ("psnr", "ssim"))
    lines.append("  {:24}  {:>16}  {:>16}".format("z = 0", *zero))
    lines.append(
        f"  at temperature {sampled['temperature']:g}; ±: 95% confidence; the samples differ by "
        f"{sampled['diversity']:.3g} grey levels of 255 on average"
    )
    return "\n".join(lines)
