"""What a report says of runs, on run folders written by hand."""

import pytest

from keras_cvae.errors import UserError
from keras_cvae.report import collect


def test_a_table_of_means_and_spreads_with_the_baselines(tmp_path, make_run):
    seeds = [make_run(tmp_path / f"s{i}", psnr=[20.0 + i], seed=i) for i in range(3)]
    one = make_run(tmp_path / "one", psnr=[25.0], lr=0.2)
    groups = collect.collect({"several": seeds, "one": [one]})
    header, rows = collect.table(groups)
    assert header[:3] == ["", "val PSNR, dB", "val SSIM"]  # the video has no 200 frames
    assert rows[0][:2] == ["several", "21.00 ± 1.00"]
    assert rows[1][:2] == ["one", "25.00"]
    assert rows[1][header.index("last process, s")] == "12"
    assert rows[2][:3] == ["first frame, copied", "10.00", ""]
    assert [row[0] for row in rows[2:]] == ["first frame, copied", "previous true frame, copied"]
    assert "test PSNR, dB" not in header  # nobody has one
    shared, different = collect.common_settings(groups)
    assert different == {"lr": [0.1, 0.2]} and shared["data"] == "builtin"
    assert "seed" not in shared


def test_runs_that_differ_in_their_seed_alone_are_one_group(tmp_path, make_run):
    a, b = (make_run(tmp_path / name, seed=i) for i, name in enumerate("ab"))
    labelled = collect.by_settings([a, b, a])
    assert labelled == {"a": [a, b]}
    one, two = (make_run(tmp_path / name / "x" / "a", lr=lr) for name, lr in (("p", 1), ("q", 2)))
    labelled = collect.by_settings([a, one, two])
    assert list(labelled.values()) == [[a], [one], [two]]
    assert list(labelled)[1:] == ["p/x/a", "q/x/a"]


def test_a_setting_that_only_one_run_knows_is_a_difference(tmp_path, make_run):
    old, new = make_run(tmp_path / "old"), make_run(tmp_path / "new", mirror=True)
    _, different = collect.common_settings(collect.collect({"old": [old], "new": [new]}))
    assert different == {"mirror": [None, True]}


def test_what_cannot_be_compared_is_an_error(tmp_path, make_run):
    a = make_run(tmp_path / "a")
    with pytest.raises(ValueError, match="no finished run: it has no metrics.json. Resume it"):
        collect.collect({"a": [a], "b": [make_run(tmp_path / "b", finished=False)]})
    with pytest.raises(ValueError, match=r"has frame_size \[8, 8\] and .* has \[16, 8\]"):
        collect.collect({"a": [a], "c": [make_run(tmp_path / "c", frame_size=[16, 8])]})


def test_the_first_and_last_frames_are_of_long_videos(tmp_path, make_run):
    long = make_run(tmp_path / "long", psnr=[10.0] * 100 + [20.0] * 100)
    short = make_run(tmp_path / "short", psnr=[10.0] * 199, lr=0.2)
    header, rows = collect.table(collect.collect({"long": [long], "short": [short]}))
    assert header[2:4] == ["first 100 frames", "last 100 frames"]
    assert rows[0][2:4] == ["10.00", "20.00"] and rows[1][2:4] == ["–", "–"]


@pytest.mark.parametrize(
    "change", [{"data": None}, {"data": 3}, {"frame_size": "8x8"}, {"frame_size": [8, -8]}]
)
def test_a_configuration_that_was_edited_is_one_error(tmp_path, change, make_run):
    with pytest.raises(UserError, match=r"config.json: expected data, a text, and frame_size"):
        collect.collect({"a": [make_run(tmp_path / "a", **change)]})
