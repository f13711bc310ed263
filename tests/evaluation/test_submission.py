"""The benchmark's file and its score, on cases worked out by hand."""

import os
import threading

import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.evaluation.submission import (
    check_header,
    read_submission,
    score,
    write_submission,
)

SIZE = (2, 3)


def written(tmp_path, *videos):
    path = tmp_path / "out.csv"
    write_submission(path, videos)
    return path


def test_rows_are_frames_in_channel_height_width_order(tmp_path):
    frame = np.arange(18, dtype="float32").reshape(2, 3, 3) / 255
    path = written(tmp_path, frame[None], np.stack([frame, 1 - frame]))
    lines = path.read_text().splitlines()
    assert lines[0] == "id," + ",".join(f"pixel_{i}" for i in range(18))
    # Red of both rows of pixels, then green, then blue.
    first = [0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17]
    assert lines[1] == ",".join(map(str, [0, *first]))
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "1", "2"]
    one, two = read_submission(path, [1, 2], SIZE)
    np.testing.assert_array_equal(one[0], np.rint(frame * 255))
    np.testing.assert_array_equal(two[1], np.rint((1 - frame) * 255))


def test_values_are_clipped_and_rounded_once(tmp_path):
    values = np.array([-0.5, 1.5, 0.49 / 255, 0.51 / 255, 254.4 / 255, 1.0])
    path = written(tmp_path, np.resize(values, (1, 2, 3, 3)))
    (video,) = read_submission(path, [1], SIZE)
    assert video.ravel()[:6].tolist() == [0, 255, 0, 1, 254, 255]


def sequences(count, frames, offset=0):
    """Grey videos; with an offset, all but the given frame are that much brighter."""
    videos = np.full((count, frames, *SIZE, 3), 100, np.uint8)
    videos[:, 1:] += np.uint8(offset)
    return list(videos)


def decibel(offset):
    return 10 * np.log10(255**2 / offset**2)


def test_five_sequences_have_a_public_and_a_private_score():
    truths = sequences(5, 630)
    predictions = [*sequences(3, 630, 10), *sequences(2, 630, 20)]
    scores = score(predictions, truths)
    assert scores["public"] == pytest.approx(decibel(10))
    assert scores["private"] == pytest.approx(decibel(20))
    assert scores["mean"] == pytest.approx((3 * decibel(10) + 2 * decibel(20)) / 5)


def test_frame_0_and_those_after_600_do_not_count():
    truths, predictions = sequences(5, 630), sequences(5, 630, 10)
    for prediction in predictions:
        prediction[0] = 0
        prediction[601:] = 0
    assert score(predictions, truths)["public"] == pytest.approx(decibel(10))
    for prediction in predictions:
        prediction[600] = 0
    assert score(predictions, truths)["public"] < decibel(10) - 0.01


def test_the_mean_is_of_decibels_per_frame_and_sequences_weigh_the_same():
    short, long = sequences(1, 3)[0], sequences(1, 11)[0]
    predicted = [sequences(1, 3, 10)[0], sequences(1, 11, 20)[0]]
    predicted[0][2] = short[2] + 5
    scores = score(predicted, [short, long])
    assert set(scores) == {"mean"}
    mean = ((decibel(10) + decibel(5)) / 2 + decibel(20)) / 2
    assert scores["mean"] == pytest.approx(mean)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[1:], "expected a header of id and 18 pixels"),
        (lambda lines: [], "expected a header of id and 18 pixels"),
        (lambda lines: lines[:-1], r"has 2 frames; the true sequences have 3 \(1 \+ 2"),
        (lambda lines: [*lines, "3" + lines[-1][1:]], "has 4 frames"),
        (lambda lines: [*lines[:2], lines[2] + ",1", lines[3]], "line 3: expected 19 values"),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], "line 2: expected the id 0"),
        (lambda lines: [*lines[:3], "2" + ",0.5" * 18], "line 4: a pixel is not a whole number"),
        (lambda lines: [*lines[:3], "2" + ",256" * 18], r"line 4: .* 0\.\.255; got 256 to 256"),
        (lambda lines: [*lines[:3], "2,-1" + ",0" * 17], r"line 4: .* 0\.\.255; got -1 to 0"),
        (lambda lines: [*lines[:3], "2,nan" + ",0" * 17], "line 4: a pixel is not a whole number"),
        (lambda lines: [*lines[:3], "2,1e999" + ",0" * 17], "line 4: a pixel is not a whole"),
        (lambda lines: [*lines[:3], "2,\0" + ",0" * 17], "line 4: a pixel is not a whole"),
        (lambda lines: [*lines[:3], "2," + "9" * 400 + ",0" * 17], r"0\.\.255; got 0 to 9{40}\."),
        (lambda lines: [*lines[:3], "2," + "9" * 5000], "line 4: it is longer than a row of 18"),
        (lambda lines: [lines[0] + "x" * 200_000], "line 1: it is longer than a row of 18 pixels"),
        (lambda lines: [*lines[:2], ""], "line 3: expected 19 values; got 0"),
        (lambda lines: [*lines, *["3"] * 10_003], "has 10004 frames or more; .* have 3"),
    ],
)
def test_files_that_do_not_fit_are_errors(tmp_path, change, message):
    path = written(tmp_path, np.zeros((1, *SIZE, 3)), np.zeros((2, *SIZE, 3)))
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(ValueError, match=message):
        read_submission(path, [1, 2], SIZE)


def test_nothing_is_left_where_writing_fails(tmp_path):
    def videos():
        yield np.zeros((1, *SIZE, 3))
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_submission(tmp_path / "out.csv", videos())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\0\1", b"\0" * 99, b'"' * 99, b"id\r,\r" * 9])
def test_what_is_no_csv_is_one_error(tmp_path, data):
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    for read in (lambda: check_header(path, SIZE), lambda: read_submission(path, [1], SIZE)):
        with pytest.raises(UserError, match=r"x\.csv, line 1: ") as error:
            read()
        assert "\n" not in str(error.value)


def test_fields_over_the_limit_of_the_csv_module(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id," + "9" * 140_000 + "\n")
    with pytest.raises(UserError, match=r"line 1: it is no csv in UTF-8 \(field larger than"):
        check_header(path, (32, 64))


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = written(tmp_path, np.zeros((2, *SIZE, 3)))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_submission(path, [2], SIZE)[0].shape == (2, *SIZE, 3)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    found = []

    def read():
        with pytest.raises(UserError, match="no regular file"):
            check_header(tmp_path / "pipe", SIZE)
        found.append(True)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(10)
    assert found


def test_a_prediction_that_is_not_finite_is_not_written(tmp_path):
    good, bad = np.zeros((2, 3, *SIZE, 3), "float32")
    bad[1, 0, 0, 0] = np.nan
    with pytest.raises(UserError, match="test sequence 1, from frame 1 on, is not finite"):
        write_submission(tmp_path / "out.csv", [good, bad])
    assert list(tmp_path.iterdir()) == []
