"""The pose estimator on a real video; skipped where its models or the video cannot be had."""

from pathlib import Path

import numpy as np
import pytest

from keras_cvae.data.decoding import read_image
from keras_cvae.data.skeleton import JOINTS
from keras_cvae.errors import UserError
from keras_cvae.poses.blazepose import BlazePose
from keras_cvae.poses.follow import follow
from keras_cvae.poses.source import open_source

DATA = Path(__file__).parents[3] / "shared" / "data"
INDEX = {name: number for number, name in enumerate(JOINTS)}
# The colours of bones in the pose images of the real data set, which show the same video.
BONES = {
    ("right_shoulder", "right_elbow"): (255, 170, 0),
    ("right_elbow", "right_wrist"): (255, 255, 0),
    ("left_shoulder", "left_elbow"): (170, 255, 0),
    ("left_elbow", "left_wrist"): (85, 255, 0),
    ("right_hip", "right_knee"): (0, 255, 85),
    ("right_knee", "right_ankle"): (0, 255, 170),
    ("left_hip", "left_knee"): (0, 170, 255),
    ("left_knee", "left_ankle"): (0, 85, 255),
}
FIRST = 70  # frame 0 of the data set is this one of the video
SCALE, OFFSET = 0.09411, (3.75, -3.37)  # from pixels of the video to those of the data set


@pytest.fixture(scope="module")
def estimator():
    try:
        return BlazePose()
    except UserError as error:
        pytest.skip(f"no pose models: {error}")


def clip(name, **part):
    if not (DATA / "clips" / name).exists():
        pytest.skip("the real clips are not here")
    return open_source(DATA / "clips" / name, **part)


def test_nobody_is_in_an_empty_image(estimator):
    assert estimator.detect(np.zeros((120, 200, 3), np.uint8)) == []


def test_the_joints_are_those_that_another_estimator_found(estimator):
    source = clip("a_juggle_h264.mp4", start=FIRST / 24, limit=24)
    found = follow(source, estimator)
    assert found.track.found == 1 and found.track.segments == [(0, 24)]
    assert found.track.jitter < 0.02
    joints = found.track.joints * SCALE + OFFSET
    body = found.track.height * SCALE
    distances = {bone: [] for bone in BONES}
    for number in range(0, 24, 4):
        pose = read_image(DATA / "juggle/train/train_label" / f"{number}.png").astype(float)
        for (start, end), colour in BONES.items():
            rows, columns = np.nonzero(np.abs(pose - colour).max(axis=-1) < 30)
            points = np.stack([columns, rows], axis=1) + 0.5
            begin = joints[number, INDEX[start]]
            along = joints[number, INDEX[end]] - begin
            share = np.clip((points - begin) @ along / (along @ along), 0, 1)
            apart = np.linalg.norm(points - begin - share[:, None] * along, axis=1)
            if len(apart):
                distances[start, end].append(np.median(apart) / body)
    means = [np.mean(each) for each in distances.values() if each]
    assert len(means) >= 6 and np.mean(means) < 0.03


def test_left_and_right_people_are_told_apart(estimator):
    places = {}
    for person in ("left", "right"):
        source = clip("i_two_people.gif", limit=20)
        joints = follow(source, estimator, person, anyway=True).track.joints
        places[person] = np.nanmedian(joints[:, [11, 12], 0])
    assert places["right"] - places["left"] > 0.2 * source.info.frame_size[1]
    with pytest.raises(UserError, match="more than one person"):
        follow(source, estimator)


def test_a_video_without_people_is_an_error(estimator):
    with pytest.raises(UserError, match="nobody was found in any frame"):
        follow(clip("j_noperson_h264.mp4", limit=20), estimator)
