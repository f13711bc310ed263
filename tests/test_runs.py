import json
import math
import os
import subprocess
import sys

import pytest

from keras_cvae import files, runs
from keras_cvae.errors import UserError


def test_a_run_begins_with_its_configuration(tmp_path):
    run = tmp_path / "deep" / "run"
    runs.create_run(run, {"schedule_epochs": 5, "frame_size": (16, 24)})
    assert [path.name for path in run.iterdir()] == ["config.json"]
    assert runs.read_config(run) == {"schedule_epochs": 5, "frame_size": [16, 24]}
    assert (run / "config.json").read_text().endswith("}\n")
    assert os.stat(run).st_mode & 0o777 == 0o755
    assert [path.name for path in run.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_exists_is_never_touched(tmp_path, kind):
    run = tmp_path / "run"
    if kind == "folder":
        run.mkdir()
    elif kind == "file":
        run.write_text("mine")
    else:
        run.symlink_to(tmp_path / "absent")
    with pytest.raises(ValueError, match="never overwritten"):
        runs.create_run(run, {})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert kind != "file" or run.read_text() == "mine"


def test_a_configuration_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        runs.create_run(tmp_path / "run", {"bad": object()})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_appears_meanwhile_is_not_overwritten(tmp_path):
    """Two processes that were given the same --out."""
    run = tmp_path / "run"
    with pytest.raises((ValueError, OSError)), files.new_folder(run) as partial:
        (partial / "ours").write_text("")
        run.mkdir()
        (run / "theirs").write_text("")
    assert [path.name for path in run.iterdir()] == ["theirs"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_cannot_be_made_is_a_value_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="could not be made"):
        runs.create_run(tmp_path / "file" / "run", {})


@pytest.mark.parametrize("text", [None, "{", "\xff", "[1]", "null", "{}", '{"model_type": "bert"}'])
def test_reading_what_is_no_run(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="is not a run folder") as caught:
        runs.read_config(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_history_has_a_row_per_epoch_and_blanks_for_what_was_not_measured(tmp_path):
    path = tmp_path / "history.csv"
    rows = [
        {"epoch": 1, "loss": 0.1 + 0.2, "mse": 0.2, "kl": 0.1, "beta": 1.0, "tfr": 0.0, "lr": 1e-3},
        {"epoch": 2, "loss": 0.2, "zeta": 5.0, "val_psnr": 20.5, "alpha": 4.0},
    ]
    runs.write_history(path, rows)
    assert path.read_text().splitlines() == [
        "epoch,loss,mse,kl,beta,tfr,lr,val_psnr,alpha,zeta",
        "1,0.30000000000000004,0.2,0.1,1.0,0.0,0.001,,,",
        "2,0.2,,,,,,20.5,4.0,5.0",
    ]
    runs.write_history(path, rows[:1])
    assert len(path.read_text().splitlines()) == 2


def test_columns():
    columns = runs.as_columns(
        [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25, "val_psnr": 9.0}]
    )
    assert columns["epoch"] == [1, 2] and columns["loss"] == [0.5, 0.25]
    assert math.isnan(columns["val_psnr"][0]) and columns["val_psnr"][1] == 9.0
    assert all(math.isnan(value) for value in columns["kl"])


def test_environment():
    found = runs.environment("torch")
    assert found["backend"] == "torch" and found["cpu_count"] == os.cpu_count()
    assert found["versions"]["numpy"] and found["versions"]["keras"]
    json.dumps(found)
    commit = found["git_commit"]
    here = os.path.dirname(runs.__file__)
    asked = subprocess.run(
        ["git", "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    if asked.returncode == 0:
        assert commit.rstrip("+") == asked.stdout.strip()
    else:
        assert commit is None


def test_without_git_the_commit_is_unknown(monkeypatch):
    def no_git(*args, **kwargs):
        raise FileNotFoundError("git")

    monkeypatch.setattr(runs.subprocess, "run", no_git)
    assert runs.environment("jax")["git_commit"] is None


def test_only_what_a_killed_process_left_is_removed(tmp_path):
    kept = [tmp_path / name for name in ("last.keras", ".hidden", "a.partial", "rollouts/a.gif")]
    left = [tmp_path / name for name in (".last.12.partial.keras", "rollouts/.a.12.partial.gif")]
    (tmp_path / "rollouts").mkdir()
    for path in (*kept, *left):
        path.write_text("")
    runs.remove_partial_files(tmp_path)
    assert all(path.exists() for path in kept) and not any(path.exists() for path in left)


def test_results_of_todays_schema_are_read_as_they_are(tmp_path):
    results = {"val_psnr": 30.0, "baselines": {"first_frame": 19.3}, "epochs": 16}
    files.write_json(tmp_path / "metrics.json", results)
    assert runs.read_metrics(tmp_path) == results


def test_results_of_an_older_evaluation_are_flattened(tmp_path):
    old = {
        "val": {"psnr": 30.0, "ssim": 0.9, "first_frame": 19.0, "kl_nats": 0.4},
        "test": {"psnr": 31.0, "previous_true_frame": 32.0},
        "val_samples": {"samples": 3, "psnr_best": 30.5},
        "frame_size": [32, 64],
    }
    files.write_json(tmp_path / "metrics.json", old)
    assert runs.read_metrics(tmp_path) == {
        "val_psnr": 30.0,
        "val_ssim": 0.9,
        "val_kl_nats": 0.4,
        "baselines": {"first_frame": 19.0},
        "test_psnr": 31.0,
        "test_baselines": {"previous_true_frame": 32.0},
        "val_samples_samples": 3,
        "val_samples_psnr_best": 30.5,
        "frame_size": [32, 64],
    }


@pytest.mark.parametrize("text", [None, "[1]", "{"])
def test_what_are_no_results_is_an_error(tmp_path, text):
    if text is not None:
        (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(UserError, match="metrics.json"):
        runs.read_metrics(tmp_path)


HOLD = """
import sys, time
from keras_cvae import runs
with runs.locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_run_is_locked_until_its_process_ends(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"by process {process.pid} "), runs.locked(tmp_path):
            pass
        assert (tmp_path / ".lock").exists()
    finally:
        process.kill()
        process.wait()
    with runs.locked(tmp_path):  # a killed process keeps nobody out
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()
    assert not list(tmp_path.iterdir())
