import numpy as np
import pytest

from keras_cvae.data.videos import Video, check_video


def images(length=5, height=4, width=6):
    return np.zeros((length, height, width, 3), np.uint8)


def test_uint8_is_passed_through_without_a_copy():
    frames = images()
    video = check_video(frames, images(), "walk")
    assert video.name == "walk" and video.has_truth
    assert np.shares_memory(video.frames, frames)


def test_floats_become_float32_in_their_range():
    frames = np.linspace(0, 1, images().size).reshape(images().shape)
    video = check_video(frames, images())
    assert video.frames.dtype == np.float32
    np.testing.assert_allclose(video.frames, frames, atol=1e-7)


def test_a_test_video_without_truth_holds_the_given_frame_alone():
    assert not Video("test_0", images(1), images(5)).has_truth


@pytest.mark.parametrize(
    ("frames", "poses", "message"),
    [
        (images()[0], images(), r"frames of walk.*\(T, H, W, 3\).*got shape \(4, 6, 3\)"),
        (images()[..., :1], images(), r"got shape \(5, 4, 6, 1\)"),
        (images(0), images(0), r"got shape \(0, 4, 6, 3\)"),
        (images(), images().astype(int), "poses of walk.*int64"),
        (images() + 0.5 + images(), images() + 1.5, r"floats must lie in \[0, 1\].*1.5.*255"),
        (images() - 0.1, images(), "from -0.1"),
        (images() * np.nan, images(), "from nan"),
        (images(), images(4), "5 frames but 4 poses"),
        (images(), images(5, 6, 4), r"frames are 4 x 6 and poses 6 x 4"),
    ],
)
def test_what_does_not_fit_is_named(frames, poses, message):
    with pytest.raises(ValueError, match=message):
        check_video(frames, poses, "walk")
