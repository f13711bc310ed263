"""What a report says of runs, on run folders written by hand."""

import json

import pytest

from keras_cvae.report import collect


def make_run(folder, psnr=(20.0, 22.0), seed=0, finished=True, **config):
    folder.mkdir(parents=True)
    settings = {"data": "builtin", "frame_size": [8, 8], "lr": 0.1, "tfr": 0.0, **config}
    settings["schedule_epochs"] = 3
    (folder / "config.json").write_text(json.dumps({**settings, "seed": seed}))
    (folder / "history.csv").write_text("epoch,loss,val_psnr\n1,2,\n2,1,21\n3,1,20\n")
    lines = [f"v,{t},{value},0.5" for t, value in enumerate(psnr, start=1)]
    (folder / "val_psnr_per_frame.csv").write_text("\n".join(["video,frame,psnr,ssim", *lines]))
    if finished:
        metrics = {"val_psnr": sum(psnr) / len(psnr), "val_ssim": 0.9, "seconds": 12.3}
        metrics["baselines"] = {"first_frame": 10.0, "previous_true_frame": 30.0}
        (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_results_of_a_run(tmp_path):
    run = make_run(tmp_path / "a", psnr=[10.0] * 100 + [20.0] * 100)
    results = collect.run_results(run)
    assert (results["val_first"], results["val_last"]) == (10, 20)
    assert results["best_epoch"] == 2 and results["val_psnr"] == 15


def test_a_table_of_means_and_spreads_with_the_baselines(tmp_path):
    seeds = [make_run(tmp_path / f"s{i}", psnr=[20.0 + i], seed=i) for i in range(3)]
    one = make_run(tmp_path / "one", psnr=[25.0], lr=0.2)
    groups = collect.collect({"several": seeds, "one": [one]})
    header, rows = collect.table(groups)
    assert header[:3] == ["", "val PSNR, dB", "first 100 frames"]
    assert rows[0][:2] == ["several", "21.00 ± 1.00"]
    assert rows[1][:2] == ["one", "25.00"]
    assert rows[1][header.index("last process, s")] == "12"
    assert rows[2][:3] == ["first frame, copied", "10.00", ""]
    assert [row[0] for row in rows[2:]] == ["first frame, copied", "previous true frame, copied"]
    assert "test PSNR, dB" not in header  # nobody has one
    shared, different = collect.common_settings(groups)
    assert different == {"lr": [0.1, 0.2]} and shared["data"] == "builtin"
    assert "seed" not in shared


def test_runs_that_differ_in_their_seed_alone_are_one_group(tmp_path):
    a, b = (make_run(tmp_path / name, seed=i) for i, name in enumerate("ab"))
    labelled = collect.by_settings([a, b, a])
    assert labelled == {"a": [a, b]}
    one, two = (make_run(tmp_path / name / "x" / "a", lr=lr) for name, lr in (("p", 1), ("q", 2)))
    labelled = collect.by_settings([a, one, two])
    assert list(labelled.values()) == [[a], [one], [two]]
    assert list(labelled)[1:] == ["p/x/a", "q/x/a"]


def test_a_setting_that_only_one_run_knows_is_a_difference(tmp_path):
    old, new = make_run(tmp_path / "old"), make_run(tmp_path / "new", mirror=True)
    _, different = collect.common_settings(collect.collect({"old": [old], "new": [new]}))
    assert different == {"mirror": [None, True]}


def test_what_cannot_be_compared_is_an_error(tmp_path):
    a = make_run(tmp_path / "a")
    with pytest.raises(ValueError, match="no finished run: it has no metrics.json. Resume it"):
        collect.collect({"a": [a], "b": [make_run(tmp_path / "b", finished=False)]})
    with pytest.raises(ValueError, match=r"has frame_size \[8, 8\] and .* has \[16, 8\]"):
        collect.collect({"a": [a], "c": [make_run(tmp_path / "c", frame_size=[16, 8])]})
