import warnings

import numpy as np
import pytest
from bodies import dance, standing

from keras_cvae.data.synthetic import render_video
from keras_cvae.errors import UserError
from keras_cvae.poses.follow import check_track, follow
from keras_cvae.poses.keypoints import Keypoints
from keras_cvae.poses.person import Person
from keras_cvae.poses.source import open_source
from keras_cvae.poses.track import make_track
from keras_cvae.video import write_video

SIZE = (64, 128)
SURE = np.ones(19)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of 40 images of the built-in dancer; 20 more by a camera that moves."""
    folder = tmp_path_factory.mktemp("images")
    write_video(folder / "still", render_video(5, 40, SIZE).frames)
    moving = np.stack(
        [np.roll(image, n // 2, 1) for n, image in enumerate(render_video(5, 40, SIZE).frames)]
    )
    write_video(folder / "moving", moving)
    return folder


def keypoints(*people):
    return Keypoints(
        [[Person(each[t], SURE) for each in people] for t in range(len(people[0]))],
        SIZE,
        None,
        "test",
    )


def test_the_joints_of_keypoints_are_followed(images):
    joints = dance(40, SIZE)
    found = follow(open_source(images / "still"), ("x.json", keypoints(joints)))
    assert found.track.segments == [(0, 40)] and found.frames == 40 and found.poses == "test"
    assert np.abs(found.track.joints - joints).max() < 1
    assert found.camera < 0.01


def test_one_of_two_people_is_followed_when_it_is_said_which(images):
    left, right = dance(40, SIZE) - [30, 0], dance(40, SIZE, seed=6) + [30, 0]
    mixed = keypoints(left, right)
    mixed = mixed._replace(people=[each[:: (-1) ** t] for t, each in enumerate(mixed.people)])
    source = open_source(images / "still")
    with pytest.raises(UserError, match="more than one person is there in 1 of the first 1"):
        follow(source, ("x.json", mixed))
    for person, joints in (("left", left), ("right", right), (2, right)):
        found = follow(source, ("x.json", mixed), person).track.joints
        assert np.abs(found - joints).max() < 1


def test_keypoints_of_another_video_are_an_error(images):
    with pytest.raises(UserError, match="x.json has keypoints of 50 frames, but still has 40"):
        follow(open_source(images / "still"), ("x.json", keypoints(dance(50, SIZE))))


def test_files_that_list_people_alone_may_end_early_and_begin_late(images, capsys):
    joints = dance(40, SIZE)
    source, short = open_source(images / "still"), keypoints(joints[:30])
    found = follow(source, ("x.json", short._replace(lists_all=False))).track
    assert found.segments == [(0, 30)]
    with pytest.raises(UserError, match="x.json has keypoints of 30 frames"):
        follow(source, ("x.json", short))
    late = keypoints(joints)
    late = late._replace(people=[[]] * 100 + late.people, lists_all=False)
    assert np.abs(follow(source, ("x.json", late)).track.joints - joints).max() < 1
    assert "x.json: its frame 100 is taken as the first of still" in capsys.readouterr().out


def test_a_moving_camera_is_an_error_or_a_warning(images):
    source, poses = open_source(images / "moving"), ("x.json", keypoints(dance(40, SIZE)))
    with pytest.raises(UserError, match="moving: the camera moves .* start and end"):
        follow(source, poses)
    with pytest.warns(UserWarning, match="camera moves"):
        follow(source, poses, anyway=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        follow(source, poses, still_camera=False)


def test_nobody_is_an_error(images):
    nobody = keypoints(dance(40, SIZE))._replace(people=[[]] * 40)
    with pytest.raises(UserError, match="still: nobody was found in any frame"):
        follow(open_source(images / "still"), ("x.json", nobody))


def track(joints, fps=30):
    return make_track(joints, np.ones(joints.shape[:2]), fps)


def test_what_cannot_be_used_says_why():
    joints = np.stack([standing(100)] * 40)
    check_track(track(joints), "x", 300)
    for change, image_height, message in (
        (lambda j: j, 500, "too small, 100 of 500 pixels"),
        (lambda j: j + 15 * (np.arange(40) % 2)[:, None, None], 300, "jitter by 30.0% .* 5%"),
    ):
        poor = track(change(joints))
        with pytest.raises(UserError, match=message):
            check_track(poor, "x", image_height)
        with pytest.warns(UserWarning, match=message):
            check_track(poor, "x", image_height, anyway=True)
    joints[10:30] = np.nan
    with pytest.raises(UserError, match="in 50% of the frames, but nowhere .* for 16 frames"):
        check_track(track(joints), "x", 300, anyway=True)
