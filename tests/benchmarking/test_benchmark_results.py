"""Rows, csv and Markdown of made-up numbers."""

import csv

import pytest
from benchmark_checks import case, measured, plain_case
from benchmarking import results

from keras_cvae.errors import UserError

PUBLIC = (
    *("task", "implementation", "preset", "backend", "precision", "batch"),
    *("frames_per_s", "ratio", "peak_memory_mb", "flops_share"),
)


@pytest.fixture
def rows():
    """The plain loop at 2 frames/s, ours at 3 and 6, first steps of 4 s and 8 s, a loader."""
    plain = measured(plain_case(), [3.0, 2.0, 4.0], peak_mb=900.0, step_mb=300.0, loss=0.5)
    plain.plain_rates = plain.rates
    mixed = case(precision="mixed_bfloat16", backend="tensorflow")
    first = measured(plain_case("first_step"), [4.0])
    first.plain_rates = first.rates
    return results.make_rows(
        [
            plain,
            measured(case(), [2.0, 2.0, 1.0], plain_rates=plain.rates),
            measured(mixed, [1.0], plain_rates=plain.rates),
            first,
            measured(case("first_step"), [8.0], plain_rates=first.rates),
            measured(case("loader"), [0.02, 0.01, 0.03]),
        ],
        flops={("lab", "train_free"): 5e9},
        peaks={"float32": 100e9, "mixed_bfloat16": 300e9},
    )


def test_rates_ratios_and_shares(rows):
    plain, ours, mixed, first_plain, first, loader = rows
    assert plain["frames_per_s"] == 2.0 and plain["ratio"] == 1.0
    assert (plain["frames_per_s_min"], plain["frames_per_s_max"]) == (1.5, 3.0)
    assert (plain["seconds"], plain["seconds_min"], plain["seconds_max"]) == (3.0, 2.0, 4.0)
    assert ours["frames_per_s"] == 3.0 and ours["ratio"] == 1.5
    assert ours["plain_frames_per_s"] == 2.0 and ours["repeats"] == 3
    assert mixed["ratio"] == 3.0
    assert plain["flops_share"] == pytest.approx(2 * 5 / 100)
    assert mixed["flops_share"] == pytest.approx(6 * 5 / 300)  # of the peak of its own precision
    assert first_plain["seconds"] == 4.0 and first_plain["flops_share"] is None
    assert first["ratio"] == 0.5, "larger is better: plain seconds over ours"
    assert loader["ratio"] is None
    assert loader["step_share"] == 0.01, "0.02 s of a 2 s step of the same backend"


def test_a_loader_without_a_training_step_has_no_share():
    (row,) = results.make_rows([measured(case("loader"), [0.1])], {}, {})
    assert row["step_share"] is None


def test_csv(rows, tmp_path):
    assert results.COLUMNS[:10] == PUBLIC
    path = tmp_path / "x.csv"
    results.write_csv(path, rows)
    with open(path, newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(rows) and tuple(read[0]) == results.COLUMNS
    assert read[1]["frames_per_s"] == "3" and read[1]["ratio"] == "1.5"
    assert read[-1]["ratio"] == "" and read[-1]["flops_share"] == ""
    assert [row["implementation"] for row in read[:2]] == ["plain", "ours"]
    assert list(tmp_path.iterdir()) == [path]


def test_markdown(rows):
    text = results.markdown(rows, {"cpu": "Some CPU"}, {"float32": 100e9}, ["not to be quoted"])
    assert "- cpu: Some CPU\n- peak float32: 100 GFLOP/s\n- note: not to be quoted\n" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(rows)
    assert len({line.count("|") for line in table}) == 1
    assert "| plain loop |" in table[2] and "2 (1.5 - 3)" in table[2] and "900 (300)" in table[2]
    assert "| 1.50 |" in table[3]
    assert "- `lab` on torch: 1.00%" in text


def test_a_table_of_a_gpu_says_what_its_numbers_are():
    rows = results.make_rows([measured(case(device="gpu", precision="tf32"), [1.0])], {}, {})
    assert rows[0]["device"] == "gpu"
    text = results.markdown(rows, {}, {"float32": 50e12, "tf32": 400e12})
    assert "- peak float32: 50000 GFLOP/s\n- peak tf32: 400000 GFLOP/s\n" in text
    assert "float32 without TF32 on the same GPU" in text and "two 8192 x 8192" in text
    assert "the most that the process's arrays took of the GPU's memory" in text


def test_a_line_for_the_terminal(rows):
    assert "1.50 x plain" in results.line(rows[1])
    assert "1.00% of a training step" in results.line(rows[-1])


def test_a_file_that_exists_is_an_error(tmp_path):
    path = tmp_path / "x.csv"
    results.check_new_file(path, "--csv")
    path.touch()
    with pytest.raises(UserError, match="never overwritten. Give another --csv"):
        results.check_new_file(path, "--csv")
    with pytest.raises(UserError, match="there is no folder"):
        results.check_new_file(tmp_path / "no" / "x.csv", "--csv")
