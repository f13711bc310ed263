import numpy as np
import pytest

from keras_cvae.data.synthetic import render_video
from keras_cvae.errors import UserError
from keras_cvae.poses.source import FOLDER_FPS, open_source, usual_rate
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


@pytest.mark.parametrize(("fps", "start"), [(30, 0.05), (5, 0.3), (25, 0.06), (24, 0.0625)])
def test_any_start_of_a_folder(folder, fps, start):
    numbers = [n for n, _ in open_source(folder, fps=fps, start=start).frames()]
    assert numbers[-1] == 11 and abs(numbers[0] - start * fps) <= 0.5


def test_images_of_one_folder_have_one_size(folder, tmp_path):
    write_video(tmp_path / "x", FRAMES[:2])
    write_video(tmp_path / "y", FRAMES[:3, :16])
    (tmp_path / "y" / "2.png").rename(tmp_path / "x" / "2.png")
    with pytest.raises(UserError, match="2.png"):
        open_source(tmp_path / "x")


@pytest.mark.parametrize(
    ("own", "usual"), [(24, 24), (29.97, 29.97), (30.02, 30.02), (50, 25), (60, 30), (240, 30)]
)
def test_fast_videos_are_divided_evenly(own, usual):
    assert usual_rate(own) == usual


def test_more_frames_than_there_are_is_an_error_at_once(tmp_path):
    pytest.importorskip("av")
    write_video(tmp_path / "x.mp4", FRAMES, fps=12)
    with pytest.raises(UserError, match="fps=24 would repeat frames: .*x.mp4 has 12 frames"):
        open_source(tmp_path / "x.mp4", fps=24)


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
