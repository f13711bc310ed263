import warnings
from pathlib import Path

import pytest

from keras_cvae.data.dance_layout import find_sequences, numbered_images, train_lengths
from keras_cvae.errors import UserError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def split_of(root, *names):
    """Frames and poses with the same names."""
    return touch(root, *(f"train/train_{kind}/{n}" for n in names for kind in ("img", "label")))


def found(root, split="train"):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [
            (name, [Path(p).name for p in frames], [Path(p).name for p in poses])
            for name, frames, poses in find_sequences(root, split)
        ]


def test_numeric_order_and_pairing_by_number(tmp_path):
    for n in range(8, 12):
        touch(tmp_path, f"val/val_img/{n}.jpg", f"val/val_label/{n:03d}.png")
    frames, poses = ["8.jpg", "9.jpg", "10.jpg", "11.jpg"], [f"{n:03d}.png" for n in range(8, 12)]
    assert found(tmp_path, "val") == [("val", frames, poses)]


def test_subfolders_are_videos_in_numeric_order(tmp_path):
    split_of(tmp_path, "10/0.png", "9/0.png", "9/1.png")
    names = [(name, frames) for name, frames, _ in found(tmp_path)]
    assert names == [("train_9", ["0.png", "1.png"]), ("train_10", ["0.png"])]


def test_gaps_split_and_are_reported_once(tmp_path):
    split_of(tmp_path, *(f"{n}.png" for n in (0, 1, 2, 5, 6, 9)))
    with pytest.warns(UserWarning) as caught:
        sequences = find_sequences(tmp_path, "train")
    assert len(caught) == 1
    assert "2 gap(s) (train from 2 to 5, train from 6 to 9)" in str(caught[0].message)
    assert train_lengths(tmp_path) == [3, 2, 1]
    assert [(s.name, len(s.frames), len(s.poses)) for s in sequences] == [
        ("train_0-2", 3, 3),
        ("train_5-6", 2, 2),
        ("train_9-9", 1, 1),
    ]


def test_the_lengths_are_those_of_the_videos_in_their_order(tmp_path):
    split_of(tmp_path, "10/0.png", "9/0.png", "9/1.png", "b/1.png", "b/2.png", "b/3.png", "b/5.png")
    with pytest.warns(UserWarning, match="1 gap"):
        sequences = find_sequences(tmp_path, "train")
    assert train_lengths(tmp_path) == [len(s.frames) for s in sequences] == [2, 1, 3, 1]
    with pytest.raises(UserError, match="train_label does not exist"):
        train_lengths(tmp_path / "absent")


def test_hidden_files_are_not_looked_at(tmp_path):
    split_of(tmp_path, "0.png", ".DS_Store", "Thumbs.db", "._0.png", "desktop.ini", "__MACOSX/x")
    assert found(tmp_path) == [("train", ["0.png"], ["0.png"])]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "train_img does not exist.*<split>_img"),
        (["img/.DS_Store"], "train_img is empty"),
        (["img/0.png", "img/1.png", "label/0.png"], r"train_img has number 1\.png, but .*_label"),
        (["img/0.png", "label/0.png", "label/7.png"], r"train_label has number 7\.png, but .*_img"),
        (["img/0.png", "img/a1.png", "label/0.png"], r"0\.png and a1\.png differ in"),
        (["img/0.png", "img/1.txt", "label/0.png"], r"1\.txt: expected.*\.png, \.jpg"),
        (["img/1.png", "img/1.jpg", "label/1.png"], r"1\.jpg and 1\.png are the same number"),
        (["img/1.png", "img/01.png", "label/1.png"], r"01\.png and 1\.png are the same number"),
        (["img/0.png", "img/3/0.png", "label/0.png"], r"both images \(0\.png\) and subfolders \(3"),
        (["img/3/0.png", "label/0.png"], "train_img has subfolders and .*train_label has none"),
        (["img/0.png", "label/3/0.png"], "train_label has subfolders and .*train_img has none"),
        (["img/3/0.png", "img/4/0.png", "label/3/0.png"], "train_img has video 4, but .*_label"),
        (["img/3/0.png", "img/3/1.png", "label/3/0.png"], r"train_img/3 has number 1\.png"),
        (["img/walk/0.png", "label/run/0.png"], "train_img has video walk, but .*_label has not"),
        (["img/3/0.png", "img/03/0.png", "label/3/0.png"], "03 and 3 are the same number"),
        (["img", "label/0.png"], "train_img is a file, but must be a folder"),
        (["img/3/.DS_Store", "label/3/0.png"], "train_img/3 is empty"),
    ],
)
def test_bad_folders(tmp_path, names, message):
    (tmp_path / "train").mkdir()
    touch(tmp_path, *(f"train/train_{name}" for name in names))
    with pytest.raises(ValueError, match=message):
        find_sequences(tmp_path, "train")


def test_named_videos_are_matched_by_name_in_natural_order(tmp_path):
    split_of(tmp_path, "run_10/0.png", "run_9/0.png", "walk/f_1.png", "7/0.png", "@eaDir/x")
    assert [name for name, _, _ in found(tmp_path)] == [
        "train_7",
        "train_run_9",
        "train_run_10",
        "train_walk",
    ]


def test_numbers_of_videos_may_have_zeros_before_them(tmp_path):
    touch(tmp_path, "val/val_img/03/0.png", "val/val_label/3/0.png")
    assert found(tmp_path, "val") == [("val_3", ["0.png"], ["0.png"])]


def test_each_folder_has_names_of_its_own(tmp_path):
    for n in (1, 2, 3):
        touch(tmp_path, f"val/val_img/f_{n:06}.png", f"val/val_label/c2_{n:012}_rendered.png")
    ((_, frames, poses),) = found(tmp_path, "val")
    assert frames[0] == "f_000001.png" and poses[2] == "c2_000000000003_rendered.png"


def test_a_stray_huge_number_is_a_gap(tmp_path):
    split_of(tmp_path, "0.png", "1.png", "1700000000.png")
    with pytest.warns(UserWarning, match="from 1 to 1700000000"):
        assert len(find_sequences(tmp_path, "train")) == 2
    with pytest.raises(UserError, match="train_img has no image 2 to 1699999999; expected"):
        numbered_images(tmp_path / "train/train_img")


def test_poses_of_a_prediction_begin_at_any_number(tmp_path):
    touch(tmp_path, *(f"frame_{n:05}.png" for n in range(1, 12)), "Thumbs.db")
    names = [path.name for path in numbered_images(tmp_path)]
    assert names == [f"frame_{n:05}.png" for n in range(1, 12)]
    with pytest.raises(UserError, match="absent does not exist. Give a folder"):
        numbered_images(tmp_path / "absent")


def test_a_video_file_is_no_folder(tmp_path):
    clip = touch(tmp_path, "my clip.mp4") / "my clip.mp4"
    with pytest.raises(UserError, match=r"clip\.mp4 is a file.*ffmpeg -i '.*/my clip/%05d\.png'$"):
        numbered_images(clip)
    with pytest.raises(UserError, match=r"clip\.mp4 is a file, .* <split>/<split>_img .*ffmpeg"):
        find_sequences(clip, "train")


def test_missing_folder_and_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="absent does not exist"):
        find_sequences(tmp_path / "absent", "train")
    with pytest.raises(ValueError, match="Unknown split 'validation'; expected one of train"):
        find_sequences(tmp_path, "validation")


def test_a_test_set_has_one_given_frame_and_perhaps_truth(tmp_path):
    touch(tmp_path, "test/test_img/2/0.png", *(f"test/test_label/2/{n}.png" for n in range(11)))
    labels = [f"{n}.png" for n in range(11)]
    assert found(tmp_path, "test") == [("test_2", ["0.png"], labels)]
    touch(tmp_path, *(f"test/test_truth/2/{n}.webp" for n in range(1, 11)))
    truth = ["0.png"] + [f"{n}.webp" for n in range(1, 11)]
    assert found(tmp_path, "test") == [("test_2", truth, labels)]
    touch(tmp_path, "test/test_truth/2/0.webp")
    assert found(tmp_path, "test") == [("test_2", truth, labels)]  # the given frame is frame 0


@pytest.mark.parametrize(
    ("first", "of_truth"),
    [(0, range(11)), (0, range(1, 11)), (1, range(1, 12)), (1, range(2, 12)), (7, range(8, 18))],
)
def test_the_lowest_pose_of_a_test_video_belongs_to_the_given_frame(tmp_path, first, of_truth):
    touch(tmp_path, "test/test_img/walk/0.png")
    touch(tmp_path, *(f"test/test_label/walk/{n:05}.png" for n in range(first, first + 11)))
    touch(tmp_path, *(f"test/test_truth/walk/t{n}.png" for n in of_truth))
    ((name, frames, poses),) = found(tmp_path, "test")
    assert name == "test_walk" and len(frames) == len(poses) == 11
    assert frames[:2] == ["0.png", f"t{first + 1}.png"]
    assert poses[0] == f"{first:05}.png"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["img/0.png", "label/0.png"], "one subfolder per video"),
        (
            ["img/4/0.png", "img/4/1.png", "label/4/0.png"],
            "test_img/4: expected one image, the",
        ),
        (["img/4/0.txt", "label/4/1.png"], r"0\.txt: expected an image"),
        (["img/4/0.png", "label/4/0.png", "label/4/2.png"], "test_label/4: poses.*missing: 1"),
        (["img/4/1.png", "label/4/1.png", "label/4/1700000000.png"], "g: 2 to 1699999999"),
        (["img/4/1.png", "label/4/1.png", "label/4/2.png", "truth/4/0.png"], "truth/4 has not"),
        (["img/4/0.png", "label/4/0.png", "label/5/0.png"], "test_label has video 5, but .*_img"),
        (
            ["img/4/0.png", "label/4/0.png", "label/4/1.png", "truth/4/0.png"],
            r"test_label/4 has number 1\.png, but .*test_truth/4 has not",
        ),
        (
            ["img/4/0.png", "label/4/0.png", "truth/4/0.png", "truth/4/1.png"],
            r"test_truth/4 has number 1\.png, but .*test_label/4 has not",
        ),
        (["img/4/0.png", "label/4/0.png", "truth/5/0.png"], "has video 4, but .*test_truth"),
    ],
)
def test_bad_test_sets(tmp_path, names, message):
    touch(tmp_path, *(f"test/test_{name}" for name in names))
    with pytest.raises(ValueError, match=message):
        find_sequences(tmp_path, "test")
