import random
import time

import pytest

from keras_cvae.data.image_names import (
    by_number,
    entries_of,
    missing_numbers,
    natural_order,
)
from keras_cvae.errors import UserError


def numbers(folder, *names):
    return by_number(folder, sorted(names))


@pytest.mark.parametrize(
    "form",
    [
        "{}.png",
        "{:05}.png",
        "frame_{:06}.png",
        "clip_{:012}_rendered.png",
        "cam2_{:04}.png",
        "{:03}_of_300.JPG",
        "2024-01-31 {:05}.webp",
        "ä写真 {:02}-1.png",
    ],
)
def test_one_number_that_differs_is_the_number(tmp_path, form):
    names = [form.format(n) for n in range(8, 12)]
    assert numbers(tmp_path, *names) == dict(zip(range(8, 12), names, strict=True))


def test_a_single_image_has_its_last_number(tmp_path):
    assert numbers(tmp_path, "frame_000007.png") == {7: "frame_000007.png"}
    assert numbers(tmp_path, "cam2_0007_x.png") == {7: "cam2_0007_x.png"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a_1.png", "b_2.png"], r"a_1\.png and b_2\.png differ"),
        (["1.png", "1_x.png", "2.png"], r"1\.png and 1_x\.png differ"),
        (["a1_1.png", "a1_2.png", "a2_3.png"], r"a1_1\.png and a2_3\.png differ"),
        (["1_1.png", "1_2.png", "2_1.png"], r": (1_2\.png and 2_1|2_1\.png and 1_2)\.png differ"),
        (["1.png", "1.5.png"], r"1\.5\.png and 1\.png differ"),
        (["walk.png"], r"walk\.png: expected a number in the name"),
        (["٣.png"], "expected a number in the name"),
        (["c2_1.png", "c2_01.png"], r"c2_01\.png and c2_1\.png are the same number"),
        (["c2_1.png", "c2_1.jpg"], r"c2_1\.jpg and c2_1\.png are the same number"),
        (["1.png", "1.png.tmp"], r"1\.png\.tmp: expected an image with.*\.webp\. Rename"),
    ],
)
def test_names_without_one_number_are_refused(tmp_path, names, message):
    with pytest.raises(UserError, match=message):
        numbers(tmp_path, *names)


def test_what_systems_leave_behind_is_ignored(tmp_path):
    for name in (".DS_Store", "THUMBS.db", "ehthumbs.db", "ehthumbs_vista.db", "Desktop.ini"):
        (tmp_path / name).touch()
    for name in ("__MACOSX", "@eaDir", "$RECYCLE.BIN"):
        (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="is empty; expected images"):
        entries_of(tmp_path, "")
    (tmp_path / "0.png").touch()
    assert entries_of(tmp_path, "") == {"0.png": False}


def test_a_path_that_is_no_folder(tmp_path):
    for name in ("clip.mp4", "0.png", "clip"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("nothing")
    for name, message in (
        ("absent", "absent does not exist. Give it.$"),
        ("link", "link is a link to nothing. Give it.$"),
        ("0.png", "0.png is a file, but must be a folder. Give it.$"),
        (
            "clip.mp4",
            "4 is a file.*mkdir .*/clip, .*ffmpeg -i .*/clip.mp4 .*/clip/%05d.png$",
        ),
        ("clip", "clip is a file.* ffmpeg -i .*/clip .*/images/%05d.png$"),
    ):
        with pytest.raises(UserError, match=message):
            entries_of(tmp_path / name, "Give it.")


@pytest.mark.parametrize("name", ["a\n1.png", "\x1b[2J1.png", b"\xff1.png"])
def test_names_that_break_a_message_are_refused(tmp_path, name):
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"holds '.*1\.png', a name with control") as caught:
        entries_of(tmp_path, "")
    assert str(caught.value).isprintable()


def test_missing_numbers_are_found_without_counting():
    began = time.monotonic()
    assert missing_numbers([10**200, 3, 1]) == f"2, 4 to {10**200 - 1}"
    assert missing_numbers([7, 5, 6]) == missing_numbers([]) == ""
    assert missing_numbers(range(0, 30, 2)) == "1, 3, 5, 7, 9 and 9 more"
    assert time.monotonic() - began < 1


def test_natural_order():
    names = ["", "7", "9", "10", "a", "run_9", "run_10", "run_10b", "walk"]
    assert sorted(random.sample(names, 9), key=natural_order) == names


def test_no_names_give_another_error(tmp_path):
    rng = random.Random(0)
    for _ in range(3000):
        letters = rng.choice(("01_", "019a .", "01²٣ä\x00\n"))
        names = {
            "".join(rng.choices(letters, k=rng.randint(1, 6))) + rng.choice((".png", ".JPG", ""))
            for _ in range(rng.randint(1, 4))
        }
        try:
            found = by_number(tmp_path, sorted(names))
        except UserError:
            continue
        assert len(found) == len(names)
    long = "9" * 200
    assert list(by_number(tmp_path, [f"{long}.png"])) == [int(long)]


def test_links_are_what_they_lead_to(tmp_path):
    (tmp_path / "video").mkdir()
    (tmp_path / "0").symlink_to("video")
    (tmp_path / "1").symlink_to("nothing")
    (tmp_path / "2").symlink_to("2")  # to itself
    assert entries_of(tmp_path, "") == {"0": True, "1": False, "2": False, "video": True}
