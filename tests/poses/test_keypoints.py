import json
import time
import zipfile

import numpy as np
import pytest

from keras_cvae.data.joints import Joints, write_joints
from keras_cvae.data.skeleton import JOINTS
from keras_cvae.errors import UserError
from keras_cvae.poses.keypoints import read_keypoints

WRIST = JOINTS.index("left_wrist")
WRIST_OF = {17: 9, 18: 7, 19: 9, 25: 7, 33: 15}  # the left one
KIND_OF = {17: "COCO-17", 18: "OpenPose COCO-18", 25: "OpenPose BODY_25", 33: "MediaPipe-33"}


def points(count=17, wrist=(30.0, 40.0), others=(50.0, 60.0)):
    """(K, 2): all points at one place but the left wrist."""
    result = np.tile(np.array(others), (count, 1))
    result[WRIST_OF[count]] = wrist
    return result


def flat(count=17, wrist=(30.0, 40.0), score=0.5):
    """x, y and score in turn."""
    return [value for x, y in points(count, wrist).tolist() for value in (x, y, score)]


def openpose(folder, frames, name="{:012d}_keypoints.json"):
    """Writes a folder: number -> people, each x, y and score in turn."""
    folder.mkdir()
    for number, people in frames.items():
        people = [{"person_id": [-1], "pose_keypoints_2d": person} for person in people]
        text = json.dumps({"version": 1.3, "people": people})
        (folder / name.format(number)).write_text(text)
    return folder


def written(path, data):
    path.write_text(json.dumps(data))
    return path


def wrists(found):
    """By frame, the place of everybody's left wrist."""
    return [[tuple(person.joints[WRIST].tolist()) for person in people] for people in found.people]


def refused(path, *arguments):
    """The message, which is one line and names the file."""
    with pytest.raises(UserError) as caught:
        read_keypoints(path, *arguments)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and len(message) < 800
    return message


# === OpenPose ===


@pytest.mark.parametrize("count", [18, 25])
@pytest.mark.parametrize(
    "name", ["{:012d}_keypoints.json", "cam2_dance_{}_keypoints.json", "{}.json"]
)
def test_openpose_folder_in_numeric_order(tmp_path, count, name):
    one, two, three = (flat(count, (x, 40.0)) for x in (1.0, 2.0, 3.0))
    folder = openpose(tmp_path / "a", {10: [], 9: [one], 8: [two, three], 11: [one]}, name)
    (folder / "8.png").write_bytes(b"")
    (folder / "._8.json").write_bytes(b"")
    found = read_keypoints(folder)
    assert wrists(found) == [[(2, 40), (3, 40)], [(1, 40)], [], [(1, 40)]]
    assert found[1:4] == (None, None, KIND_OF[count])
    person = found.people[1][0]
    assert person.joints.shape == (19, 2) and person.scores[WRIST] == 0.5
    assert np.isnan(person.joints[-1]).all() == (count == 18)  # the toe


def test_openpose_keypoint_files_alone_count_where_there_are_any(tmp_path):
    folder = openpose(tmp_path / "a", {0: [flat(25)]})
    written(folder / "settings.json", {})
    assert wrists(read_keypoints(folder)) == [[(30, 40)]]


@pytest.mark.parametrize(
    "names, message",
    [
        ([], "has no JSON file"),
        (["1_keypoints.json", "3_keypoints.json"], "no file of the frame 2"),
        (["1.json", "01.json"], "are the same number"),
        (["1.json", "a2.json"], "alike apart from one number"),
        (["1_1.json", "2_2.json"], "alike apart from one number"),
        (["a.json"], "alike apart from one number"),
        (["0.json", "a\n1.json"], "control characters"),
    ],
)
def test_ambiguous_or_missing_openpose_files_are_named(tmp_path, names, message):
    for name in names:
        written(tmp_path / name, {"people": []})
    assert message in refused(tmp_path)


@pytest.mark.parametrize(
    "data", [[], {}, {"people": None}, {"people": [5]}, {"people": [{}]}, 5, None]
)
def test_other_json_in_an_openpose_folder_is_refused(tmp_path, data):
    written(tmp_path / "0.json", data)
    with pytest.raises(UserError, match=r"0\.json"):
        read_keypoints(tmp_path)


def test_one_openpose_file_asks_for_its_folder(tmp_path):
    path = written(tmp_path / "0_keypoints.json", {"people": []})
    assert "Give the folder" in refused(path)


def test_an_openpose_folder_of_many_files_is_read_in_reasonable_time(tmp_path):
    folder = openpose(tmp_path / "a", {number: [flat(25)] for number in range(2000)})
    start = time.perf_counter()
    assert len(read_keypoints(folder).people) == 2000
    assert time.perf_counter() - start < 5


# === AlphaPose and COCO ===


@pytest.mark.parametrize(
    "ids, frames",
    [
        (["0.jpg", "2.jpg", "2.jpg"], [1, 0, 2]),
        (["1.jpg", "3.jpg"], [1, 0, 1]),
        (["3.jpg", "2.jpg"], [0, 0, 1, 1]),  # it begins at 0, where nobody was
        (["frame_000010.jpg", "frame_000009.jpg", "frame_000001.jpg"], [1, *[0] * 7, 1, 1]),
        (["v2_0.png", "v2_1.png"], [1, 1]),
        (["video.mp4_1", "video.mp4_2"], [1, 1]),
        ([2, 1], [1, 1]),
        ([0, 1, 1], [1, 2]),
    ],
)
def test_alphapose_numbers_of_frames(tmp_path, ids, frames):
    entries = [{"image_id": each, "keypoints": flat(), "score": 2.9} for each in ids]
    found = read_keypoints(written(tmp_path / "a.json", entries))
    assert [len(people) for people in found.people] == frames
    assert found.kind == "COCO-17"


def test_alphapose_scores_above_1_and_missing_points(tmp_path):
    keypoints = flat(score=1.7)
    keypoints[:9] = [0, 0, 0.9, -1, -1, 0.9, 20, 20, 0]
    path = written(tmp_path / "a.json", [{"image_id": 0, "keypoints": keypoints}])
    person = read_keypoints(path).people[0][0]
    assert np.isnan(person.joints).any(axis=1).tolist() == [True] * 3 + [False] * 14 + [True] * 2
    assert person.scores.tolist() == [0] * 3 + [1] * 14 + [0] * 2
    assert person.joints[WRIST].tolist() == [30, 40]


@pytest.mark.parametrize(
    "image_id", [None, True, 1.5, -1, "a.jpg", "", [], {}, 10**9, "9" * 5000, "9" * 50 + ".jpg"]
)
def test_impossible_image_ids_are_refused(tmp_path, image_id):
    path = written(tmp_path / "a.json", [{"image_id": image_id, "keypoints": flat()}])
    assert "image_id" in refused(path)


# === MMPose ===


def instances(*wrists_of):
    return [
        {"keypoints": points(17, wrist).tolist(), "keypoint_scores": [0.5] * 17, "bbox": [[1, 2]]}
        for wrist in wrists_of
    ]


def test_mmpose_in_its_three_shapes(tmp_path):
    by_frame = [instances((1, 2), (3, 4)), [], instances((5, 6))]
    records = [{"frame_id": n + 1, "instances": found} for n, found in enumerate(by_frame)]
    bare = [{"instances": found} for found in by_frame]
    info = {"meta_info": {}, "instance_info": records}
    for data in (info, records, records[::-1], [records[0], records[2]], bare, by_frame):
        found = read_keypoints(written(tmp_path / "m.json", data))
        assert wrists(found) == [[(1, 2), (3, 4)], [], [(5, 6)]]
        assert found.kind == "COCO-17" and found.people[0][1].scores[WRIST] == 0.5


@pytest.mark.parametrize(
    "records",
    [
        [{"frame_id": 1, "instances": []}] * 2,
        [{"frame_id": "1", "instances": []}],
        [{"frame_id": 10**12, "instances": instances((1, 2))}, {"frame_id": 0, "instances": []}],
        [{"frame_id": 1}],
        [{"instances": 5}],
        [{"instances": [{"keypoints": [[1, 2]] * 17, "keypoint_scores": [1] * 16}]}],
        [{"instances": [{"keypoints": [[1, 2, 3]] * 17, "keypoint_scores": [1] * 17}]}],
        [{"instances": [{"keypoints": [[1, 2]] * 17, "keypoint_scores": "x"}]}],
    ],
)
def test_impossible_mmpose_files_are_refused(tmp_path, records):
    refused(written(tmp_path / "m.json", records))


# === MediaPipe ===


def landmarks(wrist=(0.25, 0.5), columns=4):
    x_y = points(33, wrist, (0.5, 0.5)).tolist()
    return [[x, y, 0.0, 0.75][:columns] for x, y in x_y]


def named(rows):
    return [dict(zip(("x", "y", "z", "visibility"), row, strict=False)) for row in rows]


@pytest.mark.parametrize("columns", [2, 3, 4])
@pytest.mark.parametrize("convert", [list, named])
@pytest.mark.parametrize("several", [False, True])
def test_mediapipe_lists_by_frame(tmp_path, columns, convert, several):
    one, two = convert(landmarks((0.25, 0.5), columns)), convert(landmarks((1.5, -0.5), columns))
    data = [None, [one, two], [], [one]] if several else [None, one, [], two]
    path = written(tmp_path / "m.json", data)
    found = read_keypoints(path, (100, 200))
    second = [(50, 50), (300, -50)] if several else [(50, 50)]
    assert wrists(found) == [[], second, [], [(50, 50)] if several else [(300, -50)]]
    assert found[1:4] == ((100, 200), None, "MediaPipe-33")
    assert found.people[1][0].scores[WRIST] == (0.75 if columns == 4 else 1)
    assert "relative to the image" in refused(path)


def test_one_landmark_far_outside_leaves_the_others_relative(tmp_path):
    path = written(tmp_path / "m.json", [landmarks((0.5, 3.5))])
    assert wrists(read_keypoints(path, (100, 200))) == [[(100, 350)]]


def test_missing_landmarks_are_found_before_they_are_scaled(tmp_path):
    path = written(tmp_path / "m.json", [landmarks((-1.0, -1.0))])
    assert np.isnan(read_keypoints(path, (100, 200)).people[0][0].joints[WRIST]).all()


def test_mediapipe_in_pixels_is_not_scaled(tmp_path):
    path = written(tmp_path / "m.json", [[[30, 40, 0.1, 1]] * 33])
    assert wrists(read_keypoints(path, (100, 200))) == [[(30, 40)]]


# === NumPy ===


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_arrays_of_any_known_name(tmp_path):
    frames = np.stack([points(19, (x, 40.0)) for x in (1.0, 2.0)])
    np.save(tmp_path / "a.npy", frames)
    paths = [saved(tmp_path / f"{name}.npz", **{name: frames}) for name in ("joints", "x")]
    paths.append(saved(tmp_path / "b.npz", keypoints=frames.astype(int), other=np.zeros(3)))
    for path in [tmp_path / "a.npy", *paths]:
        found = read_keypoints(path)
        assert wrists(found) == [[(1, 40)], [(2, 40)]] and found[1:3] == (None, None)
        assert set(found.people[0][0].scores) == {1.0}


def test_arrays_of_several_people_with_scores_size_and_rate(tmp_path):
    people = np.stack([points(25, (x, 40.0)) for x in (1.0, 2.0)])
    frames = np.stack([people, np.full_like(people, np.nan), people])
    frames[2, 0] = 0  # nobody in this place
    scores = np.full(frames.shape[:-1], 0.5)
    size = {"frame_size": (100, 200), "fps": 25}
    found = read_keypoints(saved(tmp_path / "a.npz", keypoints=frames, scores=scores, **size))
    assert wrists(found) == [[(1, 40), (2, 40)], [], [(2, 40)]]
    assert found[1:4] == ((100, 200), 25.0, "OpenPose BODY_25")
    third = np.concatenate([frames, scores[..., None]], axis=-1)
    same = read_keypoints(saved(tmp_path / "b.npz", keypoints=third))
    assert wrists(same) == wrists(found)
    assert same.people[0][0].scores[WRIST] == found.people[0][0].scores[WRIST] == 0.5


@pytest.mark.parametrize("third, score", [(0.25, 0.25), (0.0, 1), (-0.1, 1)])
def test_the_third_column_of_33_points_is_the_score_unless_it_is_a_depth(tmp_path, third, score):
    frames = np.full((2, 33, 3), third)
    frames[..., :2] = points(33)
    found = read_keypoints(saved(tmp_path / "a.npz", joints=frames))
    assert found.people[0][0].scores[WRIST] == score


def test_relative_arrays_take_the_size_of_the_file_or_the_argument(tmp_path):
    frames = np.array([landmarks()])
    path = saved(tmp_path / "a.npz", joints=frames, frame_size=(100, 200))
    assert wrists(read_keypoints(path)) == [[(50, 50)]]
    found = read_keypoints(path, (200, 200))
    assert wrists(found) == [[(50, 100)]] and found.frame_size == (200, 200)


def test_pixels_of_another_size_are_scaled(tmp_path):
    path = saved(tmp_path / "a.npz", joints=points(19)[None], frame_size=(100, 200))
    found = read_keypoints(path, (50, 101))
    assert wrists(found) == [[(30 * 101 / 200, 20)]] and found.frame_size == (50, 101)
    assert "another shape than 100 x 100" in refused(path, (100, 100))
    assert wrists(read_keypoints(path, (100, 200))) == [[(30, 40)]]


def data_folder_joints(path):
    joints = [points(19, (x, 40.0)) for x in (1, 2, 3, 4, 5, 6)]
    fields = {
        "split": ["train", "train", "train", "train", "val", "val"],
        "sequence": ["me", "you", "me", "me", "", ""],
        "number": [12, 1, 10, 11, 0, 1],
        "frame_size": [100, 200],
        "fps": 30.0,
    }
    arrays = {name: np.array(values) for name, values in fields.items()}
    write_joints(path, Joints(np.array(joints, np.float32), **arrays))
    return path


def test_joints_of_a_data_folder_give_their_longest_video(tmp_path):
    found = read_keypoints(data_folder_joints(tmp_path / "joints.npz"))
    assert wrists(found) == [[(3, 40)], [(4, 40)], [(1, 40)]]
    assert found[1:4] == ((100, 200), 30.0, "joints of train/me, 3 frames")


@pytest.mark.parametrize("name", Joints._fields)
def test_damaged_joints_of_a_data_folder_are_refused(tmp_path, name):
    with zipfile.ZipFile(data_folder_joints(tmp_path / "joints.npz")) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "damaged.npz", "w") as archive:
        for each, content in members.items():
            archive.writestr(each, b"no array" if each == f"{name}.npy" else content)
    refused(tmp_path / "damaged.npz")


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({}, "no array"),
        ({"a": np.ones(3), "b": np.ones(3)}, "one array of points"),
        ({"joints": np.ones((19, 2))}, r"shape (19, 2)"),
        ({"joints": np.ones((0, 19, 2))}, r"shape (0, 19, 2)"),
        ({"joints": np.ones((2, 19, 5))}, "5 numbers"),
        ({"joints": np.ones((2, 19, 4))}, "4 numbers"),
        ({"joints": np.ones((2, 20, 2))}, "20 points, which is no known layout"),
        ({"joints": np.ones((2, 101, 19, 2))}, "101 people"),
        ({"joints": np.ones((1_000_001, 1, 1), np.int8)}, "at most 1000000"),
        ({"joints": np.full((2, 19, 2), "a")}, "expected are numbers"),
        ({"joints": np.full((2, 19, 2), True)}, "expected are numbers"),
        ({"joints": np.full((2, 19, 2), None)}, "allow_pickle"),
        ({"joints": np.full((2, 19, 2), np.nan)}, "nobody was found"),
        ({"joints": np.ones((2, 19, 2)), "scores": np.ones((2, 18))}, "scores has shape"),
        ({"joints": np.ones((2, 19, 2)), "frame_size": (0, 5)}, "frame_size is [0, 5]"),
        ({"joints": np.ones((2, 19, 2)), "frame_size": (10**6, 10**6)}, "frame_size of"),
        ({"joints": np.ones((2, 19, 2)), "frame_size": 5}, "frame_size is 5"),
        ({"joints": np.ones((2, 19, 2)), "frame_size": (np.inf, 2)}, "frame_size is"),
        ({"joints": np.ones((2, 19, 2)), "fps": 0}, "fps is 0"),
        ({"joints": np.ones((2, 19, 2)), "fps": np.inf}, "fps is inf"),
    ],
)
def test_impossible_arrays_are_refused(tmp_path, arrays, message):
    assert message in refused(saved(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize(
    "shape",
    ["(2222222222222, 19, 2)", "(2222222, 19, 2)", "(2, 19, 2", "(2, 19, 2.0)", "(-2, 19, 2)"],
)
def test_an_array_of_a_damaged_header_is_refused(tmp_path, shape):
    np.save(path := tmp_path / "a.npy", np.ones((2, 19, 2)))
    data = path.read_bytes()
    start, end = data.index(b"(2, 19, 2)"), data.index(b"\n", 10)
    path.write_bytes(data[:start] + f"{shape}, }}".encode().ljust(end - start) + data[end:])
    refused(path)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(path, "joints.npy")
    refused(tmp_path / "a.npz")


# === All files ===


@pytest.mark.parametrize("name", ["a.json", "a.npz", "a.npy", "a.mp4", "a", "folder/a.json"])
def test_absent_empty_and_other_files_are_named(tmp_path, name):
    assert "no file" in refused(tmp_path / name)
    if "/" not in name:
        (tmp_path / name).write_bytes(b"")
        message = refused(tmp_path / name)
        assert ("a folder of OpenPose, a .json file" in message) == (name in ("a.mp4", "a"))


PERSON = {"image_id": 0, "keypoints": flat()}


@pytest.mark.parametrize(
    "data, message",
    [
        (5, "Expected are the results"),
        ("x", "Expected are the results"),
        ({}, "Expected are the results"),
        ([], "nobody was found in any of its 0"),
        ([None, []], "nobody was found in any of its 2"),
        ([5], "Expected are the results"),
        ([{"keypoints": flat()}], "Expected are the results"),
        ([PERSON, 5], "entry 1"),
        ([{"image_id": 0, "keypoints": None}], "expected are its keypoints"),
        ([{"image_id": 0, "keypoints": []}], "expected are its keypoints"),
        ([{"image_id": 0, "keypoints": flat()[:-1]}], "2 and 3 numbers"),
        ([{"image_id": 0, "keypoints": ["1.5"] * 51}], "expected are numbers"),
        ([{"image_id": 0, "keypoints": [True] * 51}], "expected are numbers"),
        ([{"image_id": 0, "keypoints": [10**400] * 51}], "too large"),
        ([{"image_id": 0, "keypoints": [[1]] * 51}], "has 1 numbers"),
        ([{"image_id": 0, "keypoints": [[1, 2, 3], 5]}], "0 and 3 numbers"),
        ([{"image_id": 0, "keypoints": [0] * 51}], "nobody was found"),
        ([{"image_id": 0, "keypoints": [1] * 60}], "20 points, which is no known layout"),
        ([PERSON, {"image_id": 1, "keypoints": flat(25)}], "17 points, and one in frame 1 has 25"),
        ([PERSON] * 101, "101 people"),
        ([[[[1, 2], [1]]]], "1 and 2 numbers"),
        ([[{"x": 1, "y": 2}, 5]], "a landmark is 5"),
        ([[{"x": 1}] * 33], "expected are numbers"),
        ([[["a"]]], "expected are numbers"),
    ],
)
def test_impossible_json_is_refused(tmp_path, data, message):
    assert message in refused(written(tmp_path / "a.json", data))


@pytest.mark.parametrize("text", ["[", "[" * 100_000, "[[[NaN", "\xff", "[1" + "0" * 5000 + "]"])
def test_damaged_json_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="latin-1")
    refused(tmp_path / "a.json")


def test_an_impossible_frame_size_is_refused(tmp_path):
    path = written(tmp_path / "a.json", [PERSON])
    with pytest.raises(UserError, match="frame_size"):
        read_keypoints(path, (0, 5))
