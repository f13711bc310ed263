"""Cost against sizes: the cases, the fits, the table and the picture, on numbers made by hand."""

import cv2
import pytest
from benchmark_checks import FakeWorkers, case

from keras_cvae.benchmark import run, sizes, sizes_results
from keras_cvae.benchmark.plot import plot_sizes

BASE = ("multiscale", "torch", "float32", 2, 16, (32, 64))


def test_axes_go_through_the_base():
    axes = sizes.axis_cases(*BASE)
    assert list(axes) == list(sizes.AXES)
    base = axes["clip_length"][16]
    assert base == axes["batch"][2] == axes["pixels"][32 * 64]
    assert axes["rematerialised"][64].rematerialise and not base.rematerialise
    assert list(axes["pixels"].values())[-1].height == 128
    assert list(axes["pixels"].values())[-1].width == 256
    assert axes["width_factor"][2.0].widths == (64, 32, 8, 192), "the latent keeps its maps"
    for axis, of in axes.items():
        assert list(of) == sorted(of), axis


@pytest.fixture
def rows(monkeypatch):
    """Rows of two axes whose cost is linear in the batch and constant in the clip's length."""
    monkeypatch.setattr(run, "PAUSE", 0)
    axes = sizes.axis_cases(*BASE, clip_lengths=(8, 16), batches=(1, 2, 4))
    axes = {axis: axes[axis] for axis in ("clip_length", "batch")}
    workers = FakeWorkers({of: float(of.batch) for of in axes["batch"].values()})
    workers.readings = [(1, 300.0), (50, 400.0), (100, 400.0)]

    def measure(cases, report, repeats, groups):
        run.measure(cases, report, repeats, groups=groups, worker=workers)

    class Memory(type(workers("torch"))):
        def ask(self, call, **arguments):
            assert call == "stream"
            return {"readings": workers.readings}

    monkeypatch.setattr(sizes, "measure", measure)
    monkeypatch.setattr(sizes, "Worker", lambda backend: Memory(workers, backend))
    rows, report = sizes.run_sizes(axes, 2, case("rollout", batch=1, clip_length=101))
    assert not report.failures
    return rows


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
    assert sizes_results.summary(rows)[1:] == [
        "clips of a batch: seconds grow with the power 1.00; linear from 1 on",
        "resident memory is flat: 400 MB at frame 50, 400 MB at frame 100 (+0.0 MB)",
    ]


def test_what_rematerialisation_saves(rows):
    kept = [row for row in rows if row["axis"] == "clip_length"]
    anew = [
        {**row, "axis": "rematerialised", "step_memory_mb": 2.5, "seconds": 1.5 * row["seconds"]}
        for row in kept
    ]
    assert (
        "rematerialised, a step of 16 frames takes 0.25 of the memory and 1.50 times the seconds"
        in sizes_results.summary([*kept, *anew])
    )


def test_markdown(rows):
    text = sizes_results.markdown(rows, {"cpu": "Some CPU"}, ["a note"])
    assert text.startswith("- cpu: Some CPU\n- note: a note\n")
    assert "| 4 | 4 x 16 x 32 x 64 | 4 (4 - 4) | 1.5 | 1.00 | 10 |" in text
    assert "| 100 | 400 |" in text


def test_picture(rows, tmp_path):
    path = plot_sizes(rows, tmp_path / "sizes.png")
    assert cv2.imread(str(path)).shape[1] > 1000
    with pytest.raises(ValueError, match="exists"):
        plot_sizes(rows, path)
    with pytest.raises(ValueError, match="no rows"):
        plot_sizes([], tmp_path / "none.png")
