import numpy as np
import pytest

from keras_cvae.data.synthetic import render_video
from keras_cvae.errors import UserError
from keras_cvae.poses.source import FOLDER_FPS, open_source
from keras_cvae.video import write_video

FRAMES = render_video(5, 12, (32, 64)).frames


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "images"
    write_video(path, FRAMES)
    return path


def test_a_folder_of_images_is_a_video(folder):
    source = open_source(folder)
    assert (source.fps, source.length, source.name) == (FOLDER_FPS, 12, "images")
    numbers, images = zip(*source.frames(), strict=True)
    assert numbers == tuple(range(12)) and np.array_equal(images, FRAMES)


def test_a_part_of_it(folder):
    source = open_source(folder, fps=4, start=1, end=2.5, limit=5)
    numbers, images = zip(*source.frames(), strict=True)
    assert numbers == (4, 5, 6, 7, 8) and np.array_equal(images, FRAMES[4:9])
    assert [n for n, _ in open_source(folder, fps=4, start=1, end=1.5).frames()] == [4, 5]


def test_a_video_file(tmp_path):
    pytest.importorskip("av")
    write_video(tmp_path / "x.mp4", FRAMES, fps=12)
    source = open_source(tmp_path / "x.mp4", fps=6)
    numbers, images = zip(*source.frames(), strict=True)
    assert len(images) == source.length == 6 and source.info.frames == 12
    for number, image in zip(numbers, images, strict=True):
        assert np.abs(image.astype(int) - FRAMES[number]).mean() < 12


def test_nothing_between_start_and_end_is_an_error(folder):
    with pytest.raises(UserError, match="no frame between 5 s and its end: it is 0.4 s long"):
        open_source(folder, start=5)
