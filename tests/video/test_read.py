import contextlib
import os
import struct
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import BLUE, CORNERS, COUNT, GREEN, RED, SIZE, YELLOW, corners, film, near

from keras_cvae.errors import UserError
from keras_cvae.video.read import VideoInfo, count_frames, read_video, video_info

av = pytest.importorskip("av", reason="PyAV is not installed")
CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips"


@pytest.fixture
def clip(tmp_path):
    return film(tmp_path / "clip.mp4")


def sources(path, *arguments, **named):
    return [frame.source for frame in read_video(path, *arguments, **named)]


# === Kinds of files ===


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("x.mp4", "libx264"), ("x.mkv", "libx264"), ("x.ts", "libx264"), ("x.flv", "flv")),
        *(("x.webm", "libvpx-vp9"), ("x.webm", "libvpx"), ("x.mov", "mpeg4"), ("x.wmv", "wmv2")),
        *(("x.avi", "mpeg4"), ("x.avi", "libx264"), ("x.mpg", "mpeg1video"), ("x.gif", "gif")),
        *(("x.ivf", "libvpx-vp9"), ("x.h264", "libx264")),
    ],
)
def test_every_frame_of_every_kind_of_file(tmp_path, name, codec, capfd):
    path = film(tmp_path / name, codec)
    capfd.readouterr()
    info, frames = video_info(path), list(read_video(path))
    assert info == VideoInfo(SIZE, pytest.approx(25, rel=0.01), COUNT, pytest.approx(0.8, rel=0.01))
    assert [frame.source for frame in frames] == list(range(COUNT))
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(COUNT) / 25, abs=0.01)
    for number, frame in enumerate(frames):
        assert frame.image.shape == (*SIZE, 3) and frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous and frame.image.flags.writeable
        assert near(corners(frame.image), CORNERS, 80)  # GIF dithers
        assert frame.image[:, 22:26].min(axis=2).mean(axis=1).argmax() == number
    assert sources(path, fps=info.fps / 2) == list(range(0, COUNT, 2))
    assert capfd.readouterr() == ("", "")


def test_the_content_says_what_a_file_is_and_not_its_name(clip, tmp_path):
    path = clip.rename(tmp_path / "clip")
    assert len(sources(path)) == COUNT and len(sources(str(path))) == COUNT


def test_the_start_of_the_stamps_does_not_matter(clip, tmp_path):
    for first in (-7, 3, 250_000):
        path = film(tmp_path / f"{first}.mkv", stamps=range(first, first + COUNT))
        assert video_info(path) == video_info(clip)
        assert [frame.seconds for frame in read_video(path)][:2] == pytest.approx([0, 0.04])


def test_uneven_stamps_become_even(tmp_path):
    stamps = [0, 40, 80, 280, 300, 320, 5320, 5360]  # ms: a frame that stays, and a gap
    path = film(tmp_path / "x.mkv", stamps=stamps, base=Fraction(1, 1000))
    info = video_info(path)
    assert info.frames == 8 and info.fps == pytest.approx(6 / 0.36, rel=0.01)
    assert sources(path, fps=10) == [1, 2, 2, 5, 7]
    assert [round(frame.seconds, 2) for frame in read_video(path, 10)] == [
        *(0.04, 0.08, 0.08, 0.32, 5.36)
    ]
    assert abs(count_frames(info, 10) - 5) <= 1
    frames = list(read_video(path, 10))
    assert frames[1].image is frames[2].image


def test_a_vp8_picture_that_is_not_shown_is_no_frame(tmp_path):
    path = film(tmp_path / "x.webm", "libvpx")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets[3::4]:
        data[data.index(packet)] &= ~0x10  # "show this frame"
    path.write_bytes(data)
    assert video_info(path).frames == len(sources(path)) == 15


# === Rate, start, end, limit ===


def test_lower_rates_and_parts(clip):
    assert sources(clip, 5) == [2, 7, 12, 17]
    assert sources(clip, start=0.2, end=0.4) == [5, 6, 7, 8, 9]
    assert sources(clip, 12.5, start=0.4) == [10, 12, 14, 16, 18]
    assert sources(clip, limit=3) == [0, 1, 2]
    assert sources(clip, start=0.6, limit=100) == [15, 16, 17, 18, 19]


@pytest.mark.parametrize("arguments", [{}, {"fps": 10, "start": 0.3}, {"end": 0.5}, {"limit": 4}])
def test_the_count_is_known_before(clip, arguments):
    assert count_frames(video_info(clip), **arguments) == len(sources(clip, **arguments))


def test_the_files_rate_is_the_highest(clip):
    assert len(sources(clip, 25.2)) == COUNT
    with pytest.raises(UserError, match="fps=26 would repeat frames: .*clip.mp4 has 25 frames"):
        read_video(clip, 26)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        *(({"fps": fps}, "fps") for fps in (0, -1, float("nan"), float("inf"))),
        *(({"start": start}, "start") for start in (-1, float("nan"), float("inf"))),
        *(({"start": 1, "end": end}, "end") for end in (1, 0, float("nan"), float("inf"))),
        *(({"limit": limit}, "limit") for limit in (0, -1, 1.5, True, "3")),
    ],
)
def test_arguments_are_checked_at_once(clip, arguments, match):
    for function in (read_video, lambda _, **named: count_frames(video_info(clip), **named)):
        with pytest.raises(UserError, match=f"^{match}=.*expected"):
            function(clip, **arguments)


def test_a_start_behind_the_end_is_an_error(clip):
    assert count_frames(video_info(clip), start=5) == 0
    with pytest.raises(UserError, match=r"start=5 lies behind the last frame of .*clip\.mp4"):
        list(read_video(clip, start=5))


def test_the_file_is_closed_with_the_frames(clip):
    def is_open():
        links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        return any(os.path.realpath(link) == str(clip) for link in links)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc")
    frames = read_video(clip)
    next(frames)
    assert is_open()
    frames.close()
    assert not is_open()
    with contextlib.suppress(UserError):
        list(read_video(clip, start=5))
    assert not is_open()


# === Pictures ===

ONE = 2**16
MATRICES = {
    "90": (0, ONE, -ONE, 0, [BLUE, RED, YELLOW, GREEN]),  # clockwise
    "180": (-ONE, 0, 0, -ONE, [YELLOW, BLUE, GREEN, RED]),
    "270": (0, -ONE, ONE, 0, [GREEN, YELLOW, RED, BLUE]),
    "mirrored": (-ONE, 0, 0, ONE, [GREEN, RED, YELLOW, BLUE]),
    "mirrored and turned": (0, ONE, ONE, 0, [RED, BLUE, GREEN, YELLOW]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_pictures_are_upright(clip, name):
    data = bytearray(clip.read_bytes())
    *matrix, expected = MATRICES[name]
    at = data.index(b"tkhd") + 44
    assert struct.unpack(">9i", data[at : at + 36]) == (ONE, 0, 0, 0, ONE, 0, 0, 0, 2**30)
    xx, xy, yx, yy = matrix
    data[at : at + 36] = struct.pack(">9i", xx, xy, 0, yx, yy, 0, 0, 0, 2**30)
    clip.write_bytes(data)
    image = next(read_video(clip)).image
    assert image.shape[:2] == video_info(clip).frame_size == (SIZE if xx else SIZE[::-1])
    assert image.flags.c_contiguous and near(corners(image), expected)
    if name.isdigit():  # OpenCV turns, as players do, but does not mirror
        seen = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG).read()[1][..., ::-1]
        assert np.abs(seen.astype(int) - image).max() <= 2


def test_colours_are_those_of_opencv(clip):
    seen = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG).read()[1][..., ::-1]
    assert np.abs(seen.astype(int) - next(read_video(clip)).image).max() <= 2


def test_a_later_size_becomes_the_first_one(tmp_path):
    parts = [film(tmp_path / f"{n}.h264", size=size) for n, size in enumerate([SIZE, (64, 80)])]
    path = tmp_path / "x.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = list(read_video(path))
    assert len(frames) == 2 * COUNT
    assert {frame.image.shape for frame in frames} == {(*SIZE, 3)}
    assert near(corners(frames[-1].image), CORNERS)


def test_without_pyav_the_extra_is_named(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    for read in (video_info, read_video):
        with pytest.raises(UserError, match=r"pip install av, or 'keras_cvae\[video\]'"):
            read(clip)


@pytest.mark.parametrize(
    ("version", "good"), [("14.0.0", False), ("17.0.1", False), ("100.0", True)]
)
def test_a_pyav_that_crashes_is_refused(clip, monkeypatch, version, good):
    monkeypatch.setattr(av, "__version__", version)
    if good:
        assert video_info(clip).frames == COUNT
        return
    with pytest.raises(UserError, match=rf"PyAV {version} is too old .*17\.1 or later.*install"):
        video_info(clip)


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the shared clips are not here")
@pytest.mark.parametrize("path", sorted(CLIPS.glob("*")), ids=lambda path: path.name)
def test_real_clips(path):
    info = video_info(path)
    frames = list(read_video(path, fps=min(5, info.fps), limit=5))
    assert len(frames) == 5 and frames[0].image.shape == (*info.frame_size, 3)
    assert np.diff([frame.seconds for frame in frames]) == pytest.approx(0.2, abs=1 / info.fps)
    assert all(frame.image.std() > 5 for frame in frames)
