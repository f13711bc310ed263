import numpy as np
import pytest

from keras_cvae.data import Clips, read_split
from keras_cvae.data.joints import Joints, read_joints
from keras_cvae.data.mirroring import mirrored_joints, mirrored_videos
from keras_cvae.data.skeleton import JOINTS, draw_skeleton
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError

SIZE = (48, 64)
LEFT_FOREARM = (90, 255, 90)
RIGHT_FOREARM = (255, 255, 40)


def person(**places):
    """Joints that are not visible but for some, by name."""
    joints = np.full((19, 2), np.nan)
    for name, place in places.items():
        joints[JOINTS.index(name)] = place
    return joints


def table(rows, split="train", folder="", numbers=None, size=SIZE):
    count = len(rows)
    return Joints(
        np.array(rows, np.float32),
        np.array([split] * count),
        np.array([folder] * count),
        np.arange(count) if numbers is None else np.array(numbers),
        np.array(size),
        np.array(24.0),
    )


def video_of(rows, name="train", size=SIZE):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (len(rows), *size, 3), dtype=np.uint8)
    return Video(name, frames, np.stack([draw_skeleton(row, size) for row in rows]))


def somebody(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform((0, 0), (SIZE[1], SIZE[0]), (count, 19, 2)).astype(np.float32)


def test_left_and_right_change_places_by_name():
    joints = person(left_wrist=(10.5, 7), right_wrist=(60, 8), nose=(32, 3))
    mirrored = mirrored_joints(joints, 64)
    expected = person(right_wrist=(53.5, 7), left_wrist=(4, 8), nose=(32, 3))
    np.testing.assert_array_equal(mirrored, expected)
    assert joints[JOINTS.index("left_wrist"), 0] == 10.5  # which is not changed
    np.testing.assert_array_equal(mirrored_joints(mirrored, 64), joints)


def test_the_arm_has_the_colour_of_the_other_side():
    """A left arm at the left edge becomes a right arm at the right edge."""
    rows = [person(left_elbow=(8, 10), left_wrist=(8, 40))]
    video = video_of(rows)
    assert tuple(video.poses[0, 25, 8]) == LEFT_FOREARM
    (twin,) = mirrored_videos([video], table(rows))
    assert tuple(twin.poses[0, 25, 55]) == RIGHT_FOREARM and not twin.poses[0, :, :32].any()
    right = draw_skeleton(person(right_elbow=(8, 10), right_wrist=(8, 40)), SIZE)
    # OpenCV's rounding is not the same from both sides.
    np.testing.assert_allclose(twin.poses[0].astype(int), right[:, ::-1].astype(int), atol=4)
    np.testing.assert_array_equal(twin.frames, video.frames[:, :, ::-1])
    assert twin.name == "train_mirrored" and twin.poses.dtype == np.uint8


def test_mirrored_twice_is_the_original():
    rows = somebody(4)
    video = video_of(rows)
    (twin,) = mirrored_videos([video], table(rows))
    mirrored = table(mirrored_joints(rows, SIZE[1]))
    (again,) = mirrored_videos([twin._replace(name="train")], mirrored)
    np.testing.assert_array_equal(again.frames, video.frames)
    difference = np.abs(again.poses.astype(int) - video.poses)
    assert (difference > 0).mean() < 0.01  # joints are float32: a sixteenth of a pixel may tip over


def test_joints_are_scaled_to_the_frames():
    rows = somebody(3)
    video = video_of(rows)
    (expected,) = mirrored_videos([video], table(rows))
    (twin,) = mirrored_videos([video], table(rows * 4, size=(4 * SIZE[0], 4 * SIZE[1])))
    np.testing.assert_array_equal(twin.poses, expected.poses)


def test_videos_are_matched_by_folder_and_gap(tmp_path):
    lengths = {"train": [6, 5], "val": 2, "test": [2]}
    folder = write_dataset(tmp_path / "dance", (16, 24), frames=lengths)
    for kind in ("img", "label"):
        (folder / "train" / f"train_{kind}" / "1").rename(folder / "train" / f"train_{kind}" / "01")
        for path in (folder / "train" / f"train_{kind}" / "0").glob("2.png"):
            path.unlink()
    joints = read_joints(folder / "joints.npz")
    gap = (joints.split == "train") & (joints.sequence == "0") & (joints.number == 2)
    kept = Joints(*(array[~gap] for array in joints[:4]), *joints[4:])
    with pytest.warns(UserWarning, match="gap"):
        videos = read_split(folder, "train")
    twins = mirrored_videos(videos, kept)
    names = ["train_0_0-1", "train_0_3-5", "train_1"]
    assert [video.name for video in videos] == names
    assert [twin.name for twin in twins] == [f"{name}_mirrored" for name in names]
    own = kept.of_split("train")["0"][4]
    expected = draw_skeleton(mirrored_joints(own.astype(float), 24), (16, 24))
    np.testing.assert_array_equal(twins[1].poses[1], expected)
    clips = Clips([*videos, *twins], clip_length=2, batch_size=2)  # they go together
    assert clips.num_frames == 2 * (2 + 3 + 5)
    with pytest.raises(UserError, match="joints.npz has 0 frames of the video train_0_0-1 and"):
        mirrored_videos(videos, joints)


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("train", 3, "has 3 frames of the video train and the folder has 4"),
        ("train_b", 4, "has 0 frames of the video train_b"),
        ("val", 4, "has 0 frames of the video val"),
    ],
)
def test_joints_of_other_images_are_one_line(name, rows, message):
    with pytest.raises(UserError, match=message):
        mirrored_videos([video_of(somebody(4), name)], table(somebody(rows)))


def test_other_splits_can_be_mirrored():
    rows = somebody(3)
    (twin,) = mirrored_videos([video_of(rows, "val_a")], table(rows, "val", "a"), "val")
    assert twin.name == "val_a_mirrored"
