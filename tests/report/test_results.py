"""The results of a run: of good files, and of edited ones."""

import json
import os

import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.report.results import run_results


def metrics(**change):
    stored = {"val_psnr": 21.0, "val_ssim": 0.9, "baselines": {"first_frame": 10.0}, **change}
    return json.dumps({name: value for name, value in stored.items() if value != "absent"})


@pytest.fixture
def run(tmp_path, make_run):
    return make_run(tmp_path / "run")


def test_results_of_a_run(tmp_path, make_run):
    run = make_run(tmp_path / "a", psnr=[10.0] * 100 + [20.0] * 100)
    results = run_results(run)
    assert (results["val_first"], results["val_last"]) == (10, 20)
    assert results["best_epoch"] == 2 and results["val_psnr"] == 15


def test_videos_of_less_than_200_predicted_frames_do_not_count_there(tmp_path, make_run):
    run = make_run(tmp_path / "a", psnr=[10.0] * 199)
    assert not {"val_first", "val_last"} & set(run_results(run))
    path = run / "val_psnr_per_frame.csv"
    long = [f"w,{t},{30 if t <= 100 else 40},1" for t in range(1, 201)]
    path.write_text("\n".join([path.read_text(), *long]))
    results = run_results(run)
    assert (results["val_first"], results["val_last"]) == (30, 40)


def test_null_and_nan_are_no_value(run):
    (run / "metrics.json").write_text(metrics(val_ssim=None, test_psnr=float("nan"), val_psnr=None))
    results = run_results(run)
    assert results["val_ssim"] is results["test_psnr"] is results["val_psnr"] is None
    (run / "history.csv").write_text("epoch,loss,val_psnr\n1,2,inf\n2,1,21\n")
    assert run_results(run)["best_epoch"] == 2
    (run / "history.csv").write_text("epoch,loss,val_psnr\n1,2,nan\n2,1,\n")
    assert "best_epoch" not in run_results(run)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "could not be read"),
        ("{}", "lacks val_psnr and baselines"),
        ("[]", "no results: expected a JSON object"),
        ("[" * 100_000, "could not be read"),
        (b"\xff\xfe", "could not be read"),
        (metrics(baselines="absent"), "lacks baselines"),
        (metrics(baselines=[1]), "expected an object as baselines; got a list"),
        (metrics(baselines={"first_frame": "10"}), "as baselines.first_frame; got a text"),
        (metrics(val_psnr={}), "expected a number or null as val_psnr; got an object"),
        (metrics(val_psnr=True), "as val_psnr; got a truth value"),
        (metrics(seconds="12"), "as seconds; got a text"),
        (metrics(val_kl_nats=10**400), "val_kl_nats is too large a number"),
    ],
)
def test_results_that_are_none_are_one_error(run, text, message):
    path = run / "metrics.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message) as error:
        run_results(run)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_history_without_validation_and_a_pipe(run):
    (run / "history.csv").write_text("epoch,loss\n1,2\n")
    with pytest.raises(UserError, match=r"history.csv has no column 'val_psnr'"):
        run_results(run)
    (run / "metrics.json").unlink()
    os.mkfifo(run / "metrics.json")
    with pytest.raises(UserError, match="no finished run"):
        run_results(run)


def test_random_json_gives_values_or_one_error(run):
    rng = np.random.default_rng(0)
    words = ['{"val_psnr":', '"baselines":{', '"val":{"psnr":', '"test_samples":{', "}", "}", ","]
    words += ["1", "-1e999", "NaN", "null", '"x"', "[", "]", "true", "9" * 5000, '"seconds":', " "]
    for _ in range(500):
        text = "".join(rng.choice(words, rng.integers(1, 12)))
        (run / "metrics.json").write_text(text)
        try:
            results = run_results(run)
        except UserError as error:
            assert len(str(error).splitlines()) == 1
        else:
            json.dumps(results, allow_nan=False)
