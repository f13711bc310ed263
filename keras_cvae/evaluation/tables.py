"""Results of samples and windows as lines of text."""

from typing import Any


def samples_table(sampled: dict) -> str:
    """What `evaluate_samples` gave, as lines of text; a dash where a value is not finite."""
    lines = [_row("", "PSNR, dB", "SSIM")]
    for kind in ("mean", "best"):
        values = (_interval(sampled, f"{metric}_{kind}") for metric in ("psnr", "ssim"))
        lines.append(_row(f"{kind} of {sampled['samples']} samples", *values))
    zero = (_number(sampled[f"{metric}_zero"]) for metric in ("psnr", "ssim"))
    lines.append(_row("temperature 0", *zero))
    lines.append(
        f"  at temperature {sampled['temperature']:g}; ±: 95% confidence; the samples differ by "
        f"{_number(sampled['diversity'], 3)} grey levels of 255 on average"
    )
    return "\n".join(lines)


def windows_table(windows: dict) -> str:
    """The metrics of `evaluate_windows` as lines of text; a dash where a value is not finite."""
    count, samples = windows["count"], windows["samples"]
    lines = [_row("", "PSNR, dB", "SSIM")]
    for label, start in (
        ("temperature 0", ""),
        (f"mean of {samples} samples", "mean_"),
        (f"best of {samples} samples", "best_"),
    ):
        lines.append(
            _row(label, *(_interval(windows, f"{start}{metric}") for metric in ("psnr", "ssim")))
        )
    lines.append(_row("posterior's z", _interval(windows, "posterior_psnr")))
    for label, name in (
        ("first frame", "first_frame"),
        ("mean training frame", "mean_frame"),
        ("previous true frame", "previous_true_frame"),
    ):
        if f"{name}_psnr" in windows:
            lines.append(_row(label, _number(windows[f"{name}_psnr"])))
    lines.append(f"  posterior's z minus temperature 0: {_interval(windows, 'gap', 3)} dB")
    lines.append(f"  KL(q || p): {_interval(windows, 'kl_nats')} nats per frame")
    for label, start in (("temperature 0", ""), (f"{samples} samples", "mean_")):
        if f"{start}ball_error" in windows:
            share = windows[f"{start}ball_found"]
            found = "-" if share is None else f"{share:.1%}"
            lines.append(
                f"  ball, {label}: error {_interval(windows, f'{start}ball_error', 3)} pixels; "
                f"found in {found} of the frames"
            )
    overlap = "overlap, so the intervals are too narrow" if windows["overlap"] else "do not overlap"
    lines.append(f"  ±: 95% confidence over {count} windows, which {overlap}")
    lines.append(
        f"  the samples are at temperature 1 and differ by {_number(windows['diversity'], 3)} grey "
        "levels of 255 on average"
    )
    return "\n".join(lines)


def _row(label: str, *values: str) -> str:
    return f"  {label:24}" + "".join(f"  {value:>16}" for value in values)


def _number(value: Any, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _interval(values: dict, name: str, digits: int = 4) -> str:
    half = values[f"{name}_ci"]
    return _number(values[name], digits) + (f" ± {half:.2g}" if half is not None else "")
