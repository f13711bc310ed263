"""A run and its folder: one process at a time, the same data, signals, a full disk, hand edits."""

import json
import resource
import shutil
import signal

import cv2
import numpy as np
import pytest
from script_checks import ROOT, finish, history, no_pictures, one_error, run_script, start

import keras_cvae
from keras_cvae import runs


@pytest.fixture
def own_data(data, tmp_path):
    return shutil.copytree(data, tmp_path / "data")


@pytest.fixture(scope="module")
def one_epoch(flags, tmp_path_factory):
    run = tmp_path_factory.mktemp("unfinished") / "run"
    with no_pictures():
        done = run_script("train", *flags, "--epochs", 1, "--out", run)
    assert done.code == 0, done
    return run


@pytest.fixture
def unfinished(one_epoch, own_data, tmp_path):
    """A run of one epoch on data of its own."""
    run = shutil.copytree(one_epoch, tmp_path / "unfinished")
    set_config(run, data=str(own_data))
    return run


def set_config(run, **values):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, **values}))


def test_two_processes_do_not_train_in_one_run(copy):
    with runs.locked(copy):
        line = one_error(run_script("train", "--resume", copy, "--epochs", 5))
    assert f"{copy} is in use by process " in line


def change_a_frame(data):
    path = data / "train" / "train_img" / "3.png"
    assert cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    return "frames of train of train have other contents"


def add_a_frame(data):
    for kind in ("img", "label"):
        folder = data / "train" / f"train_{kind}"
        shutil.copy(folder / "19.png", folder / "20.png")
    return "train of train has 21 frames and had 20"


def lose_a_test_video(data):
    for kind in ("img", "label", "truth"):
        shutil.rmtree(data / "test" / f"test_{kind}" / "1")
    return "test_1 of test is gone"


@pytest.mark.parametrize("change", [change_a_frame, add_a_frame, lose_a_test_video])
def test_changed_data_are_an_error(unfinished, own_data, change):
    message = change(own_data)
    before = {path: path.read_bytes() for path in unfinished.rglob("*") if path.is_file()}
    line = one_error(run_script("train", "--resume", unfinished, "--epochs", 2))
    assert message in line and "--data-changed" in line
    assert {p: p.read_bytes() for p in unfinished.rglob("*") if p.is_file()} == before


def test_with_a_word_it_goes_on_and_the_best_model_counts_from_there(unfinished, own_data):
    for path in (own_data / "val" / "val_img").iterdir():  # nothing can be as good as before
        assert cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (16, 16, 3)))
    best = (unfinished / "best.keras").read_bytes()
    done = run_script("train", "--resume", unfinished, "--epochs", 2, "--data-changed")
    assert done.code == 0, done.err
    assert "the data changed: frames of val of val have other contents" in done.out
    first, second = (float(row["val_psnr"]) for row in history(unfinished))
    assert second < first and (unfinished / "best.keras").read_bytes() != best
    again = run_script("train", "--resume", unfinished, "--epochs", 3)  # they are its data now
    assert again.code == 0, again.err


def test_a_moved_folder_is_the_same_data(unfinished, own_data):
    set_config(unfinished, data=str(own_data.rename(own_data.with_name("moved"))))
    assert run_script("train", "--resume", unfinished, "--epochs", 2).code == 0


def test_a_word_without_a_run_is_an_error(flags, tmp_path):
    line = one_error(run_script("train", *flags, "--data-changed", "--out", tmp_path / "run"))
    assert "goes with --resume" in line


@pytest.mark.slow
def test_under_nohup_a_hangup_is_ignored(flags, tmp_path):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    script = ROOT / "scripts" / "train.py"
    process = start([script, *flags, "--epochs", 2, "--out", tmp_path / "run"], preexec_fn=ignore)
    for line in process.stdout:
        if line.startswith("epoch 1/2"):
            process.send_signal(signal.SIGHUP)
    done = finish(process)
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_full_disk_names_the_file_and_how_to_go_on(flags, tmp_path):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = start(
        [ROOT / "scripts" / "train.py", *flags, "--out", tmp_path / "run"],
        gpu=False,  # whose driver may write files of its own
        preexec_fn=small_files,
    )
    done = finish(process)
    assert done.code == 2 and "Traceback" not in done.err
    error, command = done.err.strip().splitlines()[-2:]
    assert error.startswith("error: ") and ".keras" in error and "go on with" in error
    assert command.endswith(f"--resume {tmp_path / 'run'}")
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": "many"},
        {"epochs": None},
        {"lr": "fast"},
        {"lr": True},
        {"preset": ["lab"]},
        {"preset": "huge"},
        {"recipe": {}},
        {"frame_size": 16},
        {"frame_size": [16, "16"]},
        {"frame_size": [0, 16]},
        {"frame_size": [10**6, 10**6]},
        {"data": 3},
        {"mirror": "yes"},
        {"kl_anneal": None},
        {"schedule_epochs": "x"},
        {"schedule_epochs": 0},
        {"seed": 1.5},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_configuration_edited_by_hand_is_one_clear_error(copy, wrong):
    set_config(copy, **wrong)
    line = one_error(run_script("train", "--resume", copy))
    assert "config.json" in line and next(iter(wrong)).replace("_", "-") in line.replace("_", "-")


def test_what_cannot_work_fails_before_training(flags, own_data, tmp_path):
    run = tmp_path / "runs" / "run"
    line = one_error(run_script("train", *flags, "--accumulate", 1000, "--out", run))
    assert "--accumulate 1000 is more than all 12 batches" in line
    for kind in ("img", "label"):
        for number in range(1, 7):
            (own_data / "val" / f"val_{kind}" / f"{number}.png").unlink()
    line = one_error(run_script("train", *flags, "--data", own_data, "--out", run))
    assert "val" in line
    assert not run.parent.exists()


def test_a_broken_model_is_an_error_everywhere(copy, data, tmp_path):
    model = keras_cvae.load_model(copy)
    variable = model.architecture.weights[0]
    variable.assign(np.full(variable.shape, np.nan))
    model.save(copy / "best.keras")
    test = data / "test"
    inputs = ["--first-frame", test / "test_img/0/0.png", "--poses", test / "test_label/0"]
    for name, *arguments in (
        ("predict", copy, *inputs, "--out", tmp_path / "x.gif"),
        ("evaluate", copy, "--out", tmp_path / "evaluation"),
        ("export", copy, "--format", "onnx", "--out", tmp_path / "x.onnx"),
        ("convert", copy / "best.keras", tmp_path / "x.ckpt"),
    ):
        assert "weights that are not finite" in one_error(run_script(name, *arguments)), name
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
