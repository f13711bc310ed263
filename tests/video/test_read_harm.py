"""Videos that are damaged, or made to do harm."""

import os
import struct
import warnings

import cv2
import numpy as np
import pytest
from films import COUNT, film, picture

from keras_cvae.errors import UserError
from keras_cvae.video.read import read_video, video_info

av = pytest.importorskip("av", reason="PyAV is not installed")


@pytest.fixture
def clip(tmp_path):
    return film(tmp_path / "clip.mp4")


def sources(path, **arguments):
    return [frame.source for frame in read_video(path, **arguments)]


def refused(path, match, **named):
    """Reading and asking both give an error of one line that names the file."""
    for read in (video_info, lambda path: list(read_video(path, **named))):
        with pytest.raises(UserError, match=match) as error:
            read(path)
        assert "\n" not in str(error.value) and os.path.basename(path) in str(error.value)


# === Damage ===


def test_damaged_packets_are_left_out_and_counted(clip):
    with av.open(str(clip)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0)]
    data = bytearray(clip.read_bytes())
    at, size = packets[8]
    data[at : at + size] = bytes(size)
    clip.write_bytes(data)
    with pytest.warns(UserWarning, match=r"clip\.mp4: \d packets .*could not be decoded") as seen:
        got = sources(clip)
    assert len(seen) == 1 and COUNT - 6 <= len(got) < COUNT + 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sources(clip, limit=2) == [0, 1]
        frames = read_video(clip)
        next(frames)
        frames.close()


def test_a_truncated_file_is_read_as_far_as_it_goes(tmp_path):
    path = film(tmp_path / "x.mp4", movflags="faststart")
    data = path.read_bytes()
    path.write_bytes(data[:-150])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert 0 < len(sources(path)) < COUNT
    path.write_bytes(data[: len(data) // 4])
    refused(path, "damaged")


def test_what_cannot_be_decoded_names_the_codec_and_the_way_out(clip):
    data = bytearray(clip.read_bytes())
    at = data.index(b"mdat") + 4
    size = int.from_bytes(data[at - 8 : at - 4], "big") - 8
    data[at : at + size] = np.random.default_rng(0).bytes(size)
    clip.write_bytes(data)
    refused(clip, r"no frame could be decoded \(codec h264\).*ffmpeg -i IN -c:v libx264 OUT\.mp4")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"x" * 1000, "no video"),
        (b"\0\0\0\x18ftypisom", "no video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no video"),
        (None, "No such file"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, content, match):
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    refused(path, match)


def test_folders_pipes_links_and_names(tmp_path):
    refused(tmp_path, "directory")
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(tmp_path / "pipe.mp4", "no regular file")
    (tmp_path / "link.mp4").symlink_to("nothing")
    refused(tmp_path / "link.mp4", "No such file")
    with pytest.raises(UserError, match="zero byte"):
        video_info("x\0.mp4")


def test_a_picture_and_sound_without_a_video_are_refused(tmp_path):
    assert cv2.imwrite(str(tmp_path / "x.png"), picture())
    refused(tmp_path / "x.png", "no video")
    with av.open(str(tmp_path / "x.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.rate, sound.pts = 8000, 0
        container.mux(stream.encode(sound))
    refused(tmp_path / "x.mkv", "no video in it")


# === Attacks ===


@pytest.mark.parametrize("name", ["x.mp4", "x.m3u8"])
def test_a_playlist_cannot_name_other_files(tmp_path, name):
    film(tmp_path / "other.ts")
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:9", "#EXTINF:9,", "other.ts", "#EXT-X-ENDLIST"]
    (tmp_path / "x").write_text("\n".join(lines))
    path = (tmp_path / "x").rename(tmp_path / name)
    if name.endswith("m3u8"):  # the attack is a true one
        with av.open(str(path)) as container:
            assert container.format.name == "hls" and next(container.decode(video=0))
    refused(path, "no video")


def test_a_script_cannot_name_other_files(tmp_path):
    film(tmp_path / "other.mp4")
    path = tmp_path / "x.mp4"
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")
    with av.open(str(path)) as container:  # the attack is a true one
        assert container.format.name == "concat" and next(container.decode(video=0))
    refused(path, "no video")


def patched(clip, **tables):
    """The file with other numbers in its tables; the first four bytes are version and flags."""
    data = bytearray(clip.read_bytes())
    for kind, (skip, *numbers) in tables.items():
        at = data.index(kind.encode()) + 8 + 4 * skip
        data[at : at + 4 * len(numbers)] = struct.pack(f">{len(numbers)}I", *numbers)
    clip.write_bytes(data)
    return clip


def test_samples_without_bytes_take_no_memory(clip):
    many = 10**8  # of 70 bytes
    patched(clip, stsz=(0, 1, many), stsc=(2, many), stts=(1, many))
    refused(clip, "claims more frames than it has bytes")


def test_fragments_without_bytes_take_no_memory(tmp_path):
    path = film(tmp_path / "x.mp4", movflags="frag_keyframe+empty_moov+default_base_moof")
    assert len(sources(path)) == COUNT
    refused(patched(path, trun=(0, 10**8)), "claims more frames than it has bytes")


def test_an_edit_list_that_repeats_all_takes_no_memory(clip, monkeypatch):
    monkeypatch.setattr("keras_cvae.video.claims.MAX_EDITED", 10 * COUNT)
    data = bytearray(clip.read_bytes())
    at = data.index(b"elst") - 4
    grown = 12 * 19
    entry = bytes(data[at + 16 : at + 28])
    for kind in (b"moov", b"trak", b"edts", b"elst"):
        start = data.index(kind) - 4
        size = int.from_bytes(data[start : start + 4], "big") + grown
        data[start : start + 4] = size.to_bytes(4, "big")
    data[at + 12 : at + 16] = (20).to_bytes(4, "big")
    data[at + 28 : at + 28] = 19 * entry
    clip.write_bytes(data)
    refused(clip, "edit list repeats up to 20 frames 20 times")


def test_a_compressed_header_is_refused(clip):
    data = clip.read_bytes()
    at = data.index(b"mvhd")
    clip.write_bytes(data[:at] + b"cmov" + data[at + 4 :])
    refused(clip, "header is compressed")


def test_sizes_over_the_bound_are_refused(clip, tmp_path, monkeypatch):
    path = film(tmp_path / "x.gif", "gif")
    data = bytearray(path.read_bytes())
    data[6:10] = b"\xff" * 4
    path.write_bytes(data)
    refused(path, "no frame could be decoded")  # 16 GiB, for a size that only the decoder reads
    monkeypatch.setenv("KERAS_CVAE_MAX_PIXELS", "1000")
    refused(clip, "32 x 48 pixels .*more than the bound of 1000")
