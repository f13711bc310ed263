"""Csv files of runs as people cut, edit and swap them."""

import os
import time

import numpy as np
import pytest

from keras_cvae import plots
from keras_cvae.errors import UserError
from keras_cvae.plots import tables
from keras_cvae.plots.sources import history_columns, psnr_by_video, psnr_columns

HISTORY = "epoch,loss,mse,kl,beta,tfr,lr,val_psnr\n1,2,1,3,0,1,0.1,\n2,1,.5,4,1,0.5,0.1,20\n"
PSNR = "video,frame,psnr,ssim,first_frame\na,1,20,1,10\na,2,22,,11\nb,1,30,1,12\n"


def test_numbers_texts_and_gaps(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbf" + PSNR.replace("\n", "\r\n").encode() + b"\r\n")
    columns = tables.read_columns(path, ("psnr",), ("video",))
    assert list(columns["video"]) == ["a", "a", "b"] and list(columns["psnr"]) == [20, 22, 30]
    assert np.isnan(columns["ssim"]).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (HISTORY[: HISTORY.index("0.5,")], "line 3: expected 8 values; got 6. The file is cut"),
        (HISTORY.replace("\n2", "\n2,2"), "line 3: expected 8 values; got 9"),
        (HISTORY.split("\n")[0], "no epoch yet"),
        (HISTORY.replace("2,1,.5", "x,1,.5"), "line 3: expected a number as 'epoch'; got 'x'"),
        (HISTORY.replace("2,1,.5", ",1,.5"), "epochs must be numbers up to 1000000000; got nan"),
        (HISTORY.replace("2,1,.5", "1e300,1,.5"), r"epochs must be .* got 1 to 1e\+300"),
        (HISTORY.replace("mse", "loss"), "has 8 columns, 7 of them different"),
        (HISTORY.replace("2,1,.5", "2," + "9" * 140_000), "no csv file of a run .field larger"),
        (HISTORY.replace("2,1,.5", "2," + "x" * 100_000 + ",.5"), r"as 'loss'; got 'x{40}\.\.\.'"),
        ("\0\0\0\n\0\n", "line 2: expected a number as "),
        ("a\rb", "line 2: expected a number as 'a'; got 'b'"),
        ("epoch\n" + "\n" * 300_000, "more than 250000 lines"),
        ("epoch\n" + "1\n" * 100_001, "columns of 100001 to 100001 epochs"),
    ],
)
def test_histories_that_are_none(tmp_path, text, message):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        history_columns(tmp_path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"\xff\xfe\0", b"\xc3("])
def test_what_is_no_text(tmp_path, data):
    (tmp_path / "history.csv").write_bytes(data)
    with pytest.raises(UserError, match=r"history.csv is no text in UTF-8"):
        history_columns(tmp_path)


def test_files_that_are_too_large_or_pipes(tmp_path):
    with open(tmp_path / "history.csv", "wb") as file:
        file.truncate(10**12)  # of zeros that take no room
    with pytest.raises(UserError, match=r"history.csv is larger than"):
        history_columns(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="no regular file"):
        history_columns(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PSNR.split("\n")[0], "has no row"),
        (HISTORY, "has no column 'video'"),
        (PSNR.replace("22", "many"), "line 3: expected a number as 'psnr'; got 'many'"),
        (PSNR[:-5], "line 4: expected 5 values; got 4"),
    ],
)
def test_psnr_files_that_are_none(tmp_path, text, message):
    (tmp_path / "val_psnr_per_frame.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        psnr_by_video(tmp_path)


def test_psnr_of_frames_and_of_videos(tmp_path):
    (tmp_path / "val_psnr_per_frame.csv").write_text(PSNR)
    assert [list(curve) for curve in psnr_by_video(tmp_path)] == [[20, 22], [30]]
    columns = psnr_columns(tmp_path)
    assert list(columns) == ["psnr", "first_frame"]
    assert list(columns["psnr"]) == [25, 22] and list(columns["first_frame"]) == [11, 11]


def test_a_name_that_is_long_takes_its_room_once(tmp_path):
    rows = [f"{'n' * 100_000 if row == 0 else 'v'},{row},1" for row in range(20_000)]
    (tmp_path / "val_psnr_per_frame.csv").write_text("\n".join(["video,frame,psnr", *rows]))
    started = time.monotonic()
    assert len(psnr_by_video(tmp_path)) == 2  # an array of NumPy's texts would be of 8 GB
    assert time.monotonic() - started < 10


def test_random_bytes_give_values_or_one_error(tmp_path):
    rng = np.random.default_rng(0)
    words = [b"epoch", b"loss", b"val_psnr", b"video", b"frame", b"psnr", b",", b",", b"\n", b"\r"]
    words += [
        b'"',
        b"\0",
        b"nan",
        b"-inf",
        b"1e308",
        b"-1e308",
        b"7",
        b"\xff",
        b" ",
        b"0x1",
        b"1_0",
    ]
    for number in range(300):
        head = (HISTORY if number % 2 else PSNR).encode()
        data = head[: rng.integers(len(head))] + b"".join(rng.choice(words, rng.integers(30)))
        for name in ("history.csv", "val_psnr_per_frame.csv"):
            (tmp_path / name).write_bytes(data)
        for read in (history_columns, psnr_columns, psnr_by_video):
            try:
                read(tmp_path)
            except UserError as error:
                assert len(str(error).splitlines()) == 1 and len(str(error)) < 500


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [["1e308", "-1e308"], ["nan", "-inf"]])
def test_whatever_numbers_a_history_has_it_is_drawn_or_refused(tmp_path, values):
    rows = [f"{epoch},{','.join([value] * 7)}" for epoch, value in enumerate(values, start=1)]
    (tmp_path / "history.csv").write_text("\n".join([HISTORY.split("\n")[0], *rows]))
    draw = (plots.plot_losses_by_strategy, plots.plot_beta_by_strategy)
    for number, plot in enumerate(draw):
        plot({"none": [tmp_path, tmp_path]}, tmp_path / f"{number}.png")
    plots.plot_teacher_forcing(tmp_path, tmp_path / "tfr.png")
    try:
        plots.plot_history(history_columns(tmp_path), tmp_path / "curves.png")
    except UserError as error:
        assert "no finite value to draw" in str(error)
