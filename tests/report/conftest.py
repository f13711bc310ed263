"""What the tests of reports share: a finished run, written by hand."""

import json

import pytest


@pytest.fixture
def make_run():
    """Writes a run folder whose one video has the given PSNR per predicted frame."""
    return _make_run


def _make_run(folder, psnr=(20.0, 22.0), seed=0, finished=True, **config):
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
