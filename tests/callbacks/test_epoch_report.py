import re
import sys

from keras_cvae.callbacks import EpochReport, KLAnnealing, ValidationPSNR


def lines(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_a_line_per_epoch_with_its_values_and_the_time_left(model, clips, val_videos, spy, capsys):
    beta, psnr = KLAnnealing("none", 3, stop=0.0012), ValidationPSNR(val_videos, every=2)
    model.fit(clips, epochs=3, verbose=0, callbacks=[beta, psnr, spy, EpochReport()])
    printed = lines(capsys)
    assert len(printed) == 3
    for epoch, line in enumerate(printed):
        assert line.startswith(f"epoch {epoch + 1}/3")
        for name, shown in (("loss", ".5f"), ("mse", ".5f"), ("kl", ".5f"), ("beta", ".3g")):
            assert f"{name} {spy.logs[epoch][name]:{shown}}  " in line
        assert re.search(r"\d s  .* left$", line)
        assert ("val_psnr" in line) == (epoch > 0)
    assert f"val_psnr {spy.logs[1]['val_psnr']:.2f} dB" in printed[1]
    assert printed[-1].endswith("0 s left")


def test_only_the_asked_for_columns(model, clips, capsys):
    report = EpochReport(columns=("mse", "absent"))
    model.fit(clips, epochs=1, verbose=0, callbacks=[report])
    (line,) = lines(capsys)
    assert "mse" in line and "loss" not in line and "absent" not in line


def test_epochs_count_from_the_initial_one(model, clips, capsys):
    model.fit(clips, epochs=10, initial_epoch=8, verbose=0, callbacks=[EpochReport()])
    first, last = lines(capsys)
    assert first.startswith("epoch  9/10") and last.startswith("epoch 10/10")


def test_on_a_terminal_the_running_epoch_shows_its_batches(model, clips, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("keras_cvae.callbacks.epoch_report._EVERY", 0)
    model.fit(clips, epochs=2, verbose=0, callbacks=[EpochReport()])
    out = capsys.readouterr().out
    assert "\r" in out
    for batch in (1, 2, 3):
        assert len(re.findall(rf"batch {batch}/3  loss \d\.\d+", out)) == 2
    assert out.count("\n") == 2
