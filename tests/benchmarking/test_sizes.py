"""Cost against sizes: the cases and their rows, of made-up numbers."""

import pytest
from benchmark_checks import SIZES_BASE
from benchmarking import sizes


def test_axes_go_through_the_base():
    axes = sizes.axis_cases(*SIZES_BASE)
    assert list(axes) == list(sizes.AXES)
    base = axes["clip_length"][16]
    assert base == axes["batch"][2] == axes["pixels"][32 * 64]
    assert axes["rematerialised"][64].rematerialise and not base.rematerialise
    assert list(axes["pixels"].values())[-1].height == 128
    assert list(axes["pixels"].values())[-1].width == 256
    assert axes["width_factor"][2.0].widths == (64, 32, 8, 192), "the latent keeps its maps"
    for axis, of in axes.items():
        assert list(of) == sorted(of), axis


def test_rows(rows):
    assert [(row["axis"], row["value"]) for row in rows[:5]] == [
        ("clip_length", 8),
        ("clip_length", 16),
        ("batch", 1),
        ("batch", 2),
        ("batch", 4),
    ]
    assert rows[3]["exponent"] == pytest.approx(1) and "exponent" not in rows[2]
    assert all(set(row) <= set(sizes.COLUMNS) for row in rows)
