"""scripts/compare.py trains three runs and reports; scripts/report.py reports of any runs."""

import json

import pytest
from script_checks import SIZE, no_pictures, one_error, run_script

FLAGS = ["--frame-size", *SIZE, "--clip-length", 3, "--batch-size", 2, "--epochs", 5]
FLAGS += ["--kl-cycles", 2, "--validate-every", 5]


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("studies") / "study"
    with no_pictures():
        done = run_script("compare", "--data", data, "--out", out, *FLAGS)
    assert done.code == 0, done.err
    out.with_name("stdout").write_text(done.out)
    return out


def test_three_runs_alike_and_a_report(study):
    configs = {
        folder.name: json.loads((folder / "config.json").read_text())
        for folder in (study / "runs").iterdir()
    }
    names = {"none-seed0", "monotonic-seed0", "cyclical-seed0"}
    assert set(configs) == names
    assert {name: config.pop("kl_anneal") for name, config in configs.items()} == {
        name: name.split("-")[0] for name in names
    }
    first, *others = configs.values()
    assert all(other == first for other in others)
    page = (study / "report.html").read_text()
    assert "Strategies of KL annealing" in page and "Teacher forcing was off" in page
    markdown = (study / "report.md").read_text()
    for strategy in ("none", "monotonic", "cyclical"):
        metrics = json.loads((study / "runs" / f"{strategy}-seed0" / "metrics.json").read_text())
        assert f"| {strategy} | {metrics['val_psnr']:.2f} |" in markdown
    for figure in ("teacher_forcing", "losses", "beta", "psnr_per_frame"):
        assert f"figures/{figure}.png" in markdown
        for kind in ("png", "svg", "csv"):
            assert (study / "figures" / f"{figure}.{kind}").is_file()


def test_what_is_finished_is_not_trained_again(study, data):
    before = {path: path.stat().st_mtime_ns for path in (study / "runs").rglob("*")}
    (study / "report.md").unlink()
    again = run_script("compare", "--data", data, "--out", study, *FLAGS)
    assert again.code == 0, again.err
    assert again.out.count("finished already") == 3
    assert (study / "report.md").is_file()
    assert {path: path.stat().st_mtime_ns for path in (study / "runs").rglob("*")} == before


def test_other_settings_in_the_same_folder_are_an_error(study, data, tmp_path):
    other = run_script("compare", "--data", data, "--out", study, *FLAGS, "--lr", 0.1)
    assert "was trained with lr 0.003, and now it is 0.1" in one_error(other)
    (tmp_path / "mine.txt").write_text("mine")
    other = run_script("compare", "--data", data, "--out", tmp_path, *FLAGS)
    assert "is no folder of a study" in one_error(other)
    other = run_script("compare", "--data", data, "--out", tmp_path / "new", *FLAGS, "--seeds", 0)
    assert "--seeds must be at least 1" in one_error(other)
    same = run_script("compare", "--data", data, "--out", tmp_path / "new", "--epochs", 4)
    assert "monotonic and cyclical have the same beta" in one_error(same)
    refused = run_script("compare", "--kl-anneal", "none")
    assert refused.code == 2 and "unrecognized arguments: --kl-anneal" in refused.err


def test_a_report_of_any_runs(study, tmp_path):
    runs = sorted((study / "runs").iterdir())
    done = run_script("report", *runs, "--out", tmp_path / "report", "--title", "Mine <here>")
    assert done.code == 0, done.err
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<h1>Mine &lt;here&gt;</h1>" in page and "none-seed0" in page
    again = run_script("report", *runs, "--out", tmp_path / "report")
    assert "exists" in one_error(again)


def test_a_report_of_what_is_no_finished_run_is_an_error(tmp_path):
    done = run_script("report", tmp_path, "--out", tmp_path / "report")
    assert one_error(done)
    assert not (tmp_path / "report").exists()
