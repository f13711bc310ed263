import numpy as np
import pytest

from keras_cvae.data.share import first_share, share_of_lengths
from keras_cvae.data.videos import Video
from keras_cvae.errors import UserError


@pytest.mark.parametrize(
    ("partial", "kept"),
    [(1, [10, 4, 6]), (0.5, [10, 0, 0]), (0.6, [10, 2, 0]), (0.7, [10, 4, 0]), (0.05, [1, 0, 0])],
)
def test_the_first_frames_of_all_videos_are_kept(partial, kept):
    lengths = [10, 4, 6]
    assert share_of_lengths(lengths, partial) == kept
    videos = [Video(str(n), *np.full((2, n, 1, 1, 3), n, np.uint8)) for n in lengths]
    cut = first_share(videos, partial)
    assert [len(video.frames) for video in cut] == [n for n in kept if n]
    assert [len(video.poses) for video in cut] == [n for n in kept if n]
    assert [video.name for video in cut] == [
        str(n) for n, k in zip(lengths, kept, strict=True) if k
    ]


@pytest.mark.parametrize("partial", [0, 1.5, -1, float("nan"), True, "half", None])
def test_what_is_no_share_is_an_error(partial):
    with pytest.raises(UserError, match=r"partial must be a share in \(0, 1\]"):
        share_of_lengths([10], partial)


def test_less_than_a_frame_is_an_error():
    with pytest.raises(UserError, match="partial=0.01 of 20 frames is less than one frame"):
        share_of_lengths([10, 10], 0.01)
