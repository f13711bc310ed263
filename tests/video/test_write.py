import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.video import enlarge, error_map, in_a_row, side_by_side, to_uint8, write_video
from keras_cvae.video.read import read_video


@pytest.fixture
def film():
    """A red square on green moves right, the upper half is a blue ramp: 6 frames of 32 x 48."""
    frames = np.zeros((6, 32, 48, 3), np.uint8)
    frames[..., 1] = 120
    frames[:, :16, :, 2] = np.linspace(0, 250, 48).astype(np.uint8)
    for t in range(6):
        frames[t, 20:28, 4 + 6 * t : 12 + 6 * t] = (250, 10, 10)
    return frames


def read_gif(path):
    ok, animation = cv2.imreadanimation(str(path))
    assert ok
    return np.stack([f[..., 2::-1] for f in animation.frames]), animation


def read_mp4(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (got := capture.read())[0]:
        frames.append(got[1][..., ::-1])
    return np.stack(frames), capture.get(cv2.CAP_PROP_FPS)


@pytest.fixture(params=["H.264", "VP9"])
def codec(request, monkeypatch):
    """What MP4 files are written with: VP9 where PyAV is absent."""
    if request.param == "H.264":
        av = pytest.importorskip("av", reason="PyAV is not installed")
        if "libx264" not in av.codecs_available:
            pytest.skip("PyAV has no libx264")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    return request.param


def difference(a, b):
    return np.abs(a.astype(int) - b.astype(int))


def test_to_uint8_clips_rounds_once_and_makes_nan_black():
    values = np.array([-1, 0, 0.5, 1, 2, np.nan, np.inf, -np.inf, 1.49 / 255], np.float32)
    got = to_uint8(values.reshape(1, 3, 3))
    assert got.dtype == np.uint8
    assert got.ravel().tolist() == [0, 0, 128, 255, 255, 0, 255, 0, 1]
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(to_uint8(every.astype("float32") / 255), every)
    assert to_uint8(every) is every


@pytest.mark.parametrize(
    ("frames", "what"),
    [
        (np.zeros((2, 4, 4, 1)), "shape"),
        (np.zeros((4, 3)), "shape"),
        (np.zeros((4, 4, 3), np.int64), "dtype"),
    ],
)
def test_to_uint8_refuses_what_are_no_frames(frames, what):
    with pytest.raises(ValueError, match=what):
        to_uint8(frames)


def test_error_map_brightens_with_the_error_and_saturates():
    truth = np.zeros((1, 1, 5, 3), np.uint8)
    prediction = truth.copy()
    prediction[0, 0, :, :] = np.array([0, 10, 30, 64, 200])[:, None]
    light = error_map(truth, prediction, gain=4).astype(float).sum(axis=-1)[0, 0]
    assert light[0] < light[1] < light[2] < light[3] == light[4]
    assert np.array_equal(error_map(truth, prediction), error_map(prediction, truth))
    red, green, blue = error_map(truth, prediction)[0, 0, 2].astype(int)
    assert red > blue  # inferno's middle is orange: the channels are not swapped
    quiet = error_map(truth, prediction, gain=1).astype(float).sum(axis=-1)[0, 0]
    assert quiet[2] < light[2]


def test_panels_stand_in_order_and_keep_their_pixels(film):
    prediction, pose = 255 - film, film[::-1].copy()
    out = side_by_side(film, prediction, pose, zoom=3, labels=False)
    assert out.shape == (6, 96, 4 * 144 + 3 * 2, 3) and out.dtype == np.uint8
    panels = [out[:, :, k * 146 : k * 146 + 144] for k in range(4)]
    wanted = [film, prediction, pose, error_map(film, prediction)]
    for panel, frames in zip(panels, wanted, strict=True):
        assert np.array_equal(panel, frames.repeat(3, axis=1).repeat(3, axis=2))
    as_floats = [x.astype(np.float32) / 255 for x in (film, prediction, pose)]
    assert np.array_equal(side_by_side(*as_floats, zoom=3, labels=False), out)


def test_without_truth_or_error_there_are_fewer_panels(film):
    assert side_by_side(None, film, film, zoom=1, labels=False).shape[2] == 2 * 48 + 2
    assert side_by_side(film, film, film, error=False, zoom=1).shape[2] == 3 * 48 + 2 * 2


def test_cubic_is_smooth_and_nearest_is_not(film):
    nearest = side_by_side(None, film, film, labels=False)
    cubic = side_by_side(None, film, film, labels=False, interpolation="cubic")
    assert nearest.shape == cubic.shape
    assert len(np.unique(cubic[0].reshape(-1, 3), axis=0)) > 2 * len(
        np.unique(nearest[0].reshape(-1, 3), axis=0)
    )


def test_captions_name_the_panels_and_count_the_frames(film):
    out = side_by_side(film, film, film)
    plain = side_by_side(film, film, film, labels=False)
    strip = out.shape[1] - plain.shape[1]
    assert 14 <= strip <= 36
    assert np.array_equal(out[:, strip:], plain)
    width = 4 * 48
    captions = [out[0, :strip, k * (width + 2) : k * (width + 2) + width] for k in range(4)]
    assert all(caption.max() > 200 for caption in captions)  # text, bright and readable
    assert len({caption.tobytes() for caption in captions}) == 4
    changes = (out[:1, :strip] != out[1:, :strip]).any(axis=(0, 1, 3))
    assert changes.any() and set(np.flatnonzero(changes) // (width + 2)) == {2}
    later = side_by_side(film, film, film, first_number=1)
    assert np.array_equal(later[:-1, :strip], out[1:, :strip])


@pytest.mark.parametrize(("height", "width", "zoom"), [(32, 64, 1), (32, 64, 4), (8, 24, 1)])
def test_captions_never_leave_their_panel(height, width, zoom):
    frames = np.zeros((1, height, width, 3), np.uint8)
    out = side_by_side(frames, frames, frames, zoom=zoom, first_number=12345)
    strip = out.shape[1] - height * zoom
    background = out[0, 0, 0]
    for k in range(1, 4):
        gap = out[0, :strip, k * (width * zoom + 2) - 3 : k * (width * zoom + 2) + 1]
        assert (gap == background).all()
    assert (out[0, :strip, -1] == background).all()
    assert (out[0, strip - 1] == background).all()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"zoom": 0}, "zoom"),
        ({"zoom": 1.5}, "zoom"),
        ({"zoom": 10**30}, "A picture at zoom=1000.* more than the bound"),
        ({"zoom": np.int32(2**31 - 1)}, "more than the bound"),
        ({"interpolation": "linear"}, "nearest"),
        ({"pose": np.zeros((5, 32, 48, 3), np.uint8)}, "pose"),
        ({"truth": np.zeros((6, 16, 48, 3), np.uint8)}, "truth"),
    ],
)
def test_side_by_side_says_what_is_wrong(film, change, what):
    arguments = {"truth": film, "prediction": film, "pose": film} | change
    with pytest.raises(ValueError, match=what):
        side_by_side(**arguments)


def test_gif_keeps_colours_time_and_loops(film, tmp_path):
    said = write_video(tmp_path / "deep" / "x.gif", film, fps=24)
    assert said == "GIF, 6 frames at 25 fps"
    frames, animation = read_gif(tmp_path / "deep" / "x.gif")
    assert frames.shape == film.shape
    assert difference(frames, film).max() <= 12 and difference(frames, film).mean() < 3
    assert animation.durations.ravel().tolist() == [40] * 6
    assert animation.loop_count == 0  # for ever


def test_gif_of_more_colours_than_its_table_stays_close(tmp_path):
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.random((4, 6, 3)).astype("float32"), (96, 64))
    frames = np.stack([scene + 0.02 * np.sin(t) for t in range(8)])
    frames[:, 30:32, 40:42] = (1.0, 0.0, 1.0)  # small, but a colour of its own
    truth = to_uint8(frames)
    assert len(np.unique(truth.reshape(-1, 3), axis=0)) > 10_000
    write_video(tmp_path / "x.gif", frames)
    got, _ = read_gif(tmp_path / "x.gif")
    assert difference(got, truth).mean() < 6
    assert difference(got, truth)[:, 30:32, 40:42].max() < 24
    write_video(tmp_path / "y.gif", frames)
    assert (tmp_path / "y.gif").read_bytes() == (tmp_path / "x.gif").read_bytes()


def test_gif_of_a_still_scene_is_small(tmp_path):
    scene = cv2.resize(np.random.default_rng(0).random((8, 8, 3)).astype("float32"), (96, 64))
    write_video(tmp_path / "one.gif", scene[None])
    write_video(tmp_path / "ten.gif", np.stack([scene] * 10))
    assert (tmp_path / "ten.gif").stat().st_size < 1.5 * (tmp_path / "one.gif").stat().st_size
    assert len(read_gif(tmp_path / "ten.gif")[0]) == 10


def test_gif_is_the_same_to_another_reader(film, tmp_path):
    image = pytest.importorskip("PIL.Image")
    write_video(tmp_path / "x.gif", film, fps=1000)
    frames, _ = read_gif(tmp_path / "x.gif")
    with image.open(tmp_path / "x.gif") as gif:
        assert gif.n_frames == 6 and gif.info["loop"] == 0 and gif.info["duration"] == 20
        for t in range(6):
            gif.seek(t)
            assert np.array_equal(np.array(gif.convert("RGB")), frames[t])


@pytest.mark.parametrize("cut", [0, 1])
def test_mp4_keeps_frames_colours_and_speed(film, tmp_path, codec, cut):
    film = film[:, cut:, cut:]
    said = write_video(tmp_path / "x.mp4", film, fps=30)
    assert said == f"MP4 ({codec}), 6 frames at 30 fps"
    frames, fps = read_mp4(tmp_path / "x.mp4")
    assert fps == 30 and frames.shape == (6, 32, 48, 3)  # 31 x 47 is padded
    assert difference(frames[:, -1], frames[:, -2]).mean() < 8  # ... with its own edge
    frames = frames[:, : film.shape[1], : film.shape[2]]
    assert difference(frames, film).mean() < 8
    assert frames[2, 22:26, 18:22, 0].mean() > 200 > 80 > frames[2, 22:26, 18:22, 2].mean()


@pytest.mark.parametrize("size", [(96, 64), (720, 1280)])
def test_mp4_has_the_colours_that_were_written(tmp_path, codec, size):
    colours = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    frames = cv2.resize(colours, size[::-1], interpolation=cv2.INTER_NEAREST)[None].repeat(2, 0)
    write_video(tmp_path / "x.mp4", frames)
    middle = np.s_[:, size[0] // 8 :: size[0] // 4, size[1] // 8 :: size[1] // 4]
    assert difference(read_mp4(tmp_path / "x.mp4")[0][middle], frames[middle]).max() <= 10
    if codec == "H.264":
        read = np.stack([frame.image for frame in read_video(tmp_path / "x.mp4")])
        assert difference(read[middle], frames[middle]).max() <= 10


@pytest.mark.parametrize("fps", [0.01, 0.3, 12.5, 23.976, 30000 / 1001, 59.94, 240, 1000])
def test_mp4_of_any_speed(tmp_path, codec, fps):
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    assert write_video(tmp_path / "x.mp4", frames, fps).endswith(f"3 frames at {fps:g} fps")
    got, speed = read_mp4(tmp_path / "x.mp4")
    assert len(got) == 3 and speed == pytest.approx(fps, rel=1e-3)


@pytest.mark.parametrize("fps", [0.009, 1001, 1e-320, 1e300])
def test_a_speed_that_no_mp4_has(tmp_path, fps):
    with pytest.raises(UserError, match=r"fps=.*from 0\.01 to 1000"):
        write_video(tmp_path / "x.mp4", np.zeros((3, 16, 16, 3), np.uint8), fps)
    assert not list(tmp_path.iterdir())


def test_mp4_begins_with_its_index_and_names_its_colours(film, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    write_video(tmp_path / "x.mp4", film)
    data = (tmp_path / "x.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "x.mp4")) as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == "yuv420p"
    assert (frame.colorspace, frame.color_range) == (6, 1)  # BT.601, 16 to 235


def test_mp4_writes_the_smallest_frames_and_nothing_to_stderr(tmp_path, codec):
    code = (
        "import sys, numpy as np\n"
        f"if {codec == 'VP9'}: sys.modules['av'] = None\n"
        "from keras_cvae.video import write_video\n"
        "assert 'av' not in sys.modules or sys.modules['av'] is None\n"
        "write_video(sys.argv[1] + '/x.mp4', np.zeros((2, 1, 1, 3), np.uint8))\n"
        "write_video(sys.argv[1] + '/x.gif', np.zeros((2, 1, 1, 3), np.uint8))\n"
        "assert not {'keras', 'matplotlib', 'PIL'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    assert read_mp4(tmp_path / "x.mp4")[0].shape == (2, 2, 2, 3)


@pytest.mark.parametrize("has_av", [True, False])
def test_mp4_without_the_codec_says_what_to_do(film, tmp_path, monkeypatch, capfd, has_av):
    without = SimpleNamespace(codecs_available=set()) if has_av else None
    monkeypatch.setitem(sys.modules, "av", without)
    av1 = cv2.VideoWriter_fourcc(*"av01")  # The wheel has no encoder for it.
    monkeypatch.setattr(cv2, "VideoWriter_fourcc", lambda *_: av1)
    with pytest.raises(ValueError, match=r"\.gif or a folder of PNGs.*keras_cvae\[video\]"):
        write_video(tmp_path / "x.mp4", film)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_a_size_that_the_encoder_refuses(tmp_path, capfd):
    pytest.importorskip("av", reason="PyAV is not installed")
    with pytest.raises(UserError, match=r"2 x 20000 pixels .*could not be encoded.*smaller"):
        write_video(tmp_path / "x.mp4", np.zeros((1, 2, 20000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, codec):
    code = (
        "import resource, sys, numpy as np\n"
        f"if {codec == 'VP9'}: sys.modules['av'] = None\n"
        "from keras_cvae.video import write_video\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "frames = np.random.default_rng(0).integers(0, 256, (9, 96, 96, 3), dtype=np.uint8)\n"
        "try: write_video(sys.argv[1] + '/x.mp4', frames)\n"
        "except (OSError, ValueError) as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ("x.mp4" if codec == "H.264" else "is the disk full?") in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["frames", "frames.v2/"])
def test_png_folder_holds_exact_numbered_frames(film, tmp_path, name):
    assert write_video(f"{tmp_path}/{name}", film) == "PNG frames, 6 files"
    folder = tmp_path / name
    assert sorted(p.name for p in folder.iterdir()) == [f"{t}.png" for t in range(6)]
    for t in range(6):
        assert np.array_equal(cv2.imread(str(folder / f"{t}.png"))[..., ::-1], film[t])


@pytest.mark.parametrize("name", ["x.gif", "x.mp4", "x"])
def test_nothing_is_overwritten_unless_asked(film, tmp_path, name):
    path = tmp_path / name
    write_video(path, film)
    with pytest.raises(ValueError, match="overwrite=True"):
        write_video(path, film[:2])
    write_video(path, film[:2], overwrite=True)
    if name == "x":
        assert len(list(path.iterdir())) == 2
    else:
        assert len((read_gif if name == "x.gif" else read_mp4)(path)[0]) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_with_other_files_is_never_replaced(film, tmp_path):
    (tmp_path / "x").mkdir()
    write_video(tmp_path / "x", film)  # empty: there is nothing to lose
    (tmp_path / "x" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        write_video(tmp_path / "x", film[:2], overwrite=True)
    assert len(list((tmp_path / "x").iterdir())) == 7
    (tmp_path / "y").write_text("a file")
    with pytest.raises(ValueError, match="is a file"):
        write_video(tmp_path / "y", film, overwrite=True)
    (tmp_path / "z.gif").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        write_video(tmp_path / "z.gif", film, overwrite=True)


@pytest.mark.parametrize("name", ["x.gif", "x"])
def test_a_failure_leaves_what_was_there(film, tmp_path, monkeypatch, name):
    write_video(tmp_path / name, film)
    monkeypatch.setattr(cv2, "imencodeanimation", lambda *_: (False, None))
    monkeypatch.setattr(cv2, "imencode", lambda *_: 1 / 0)
    with pytest.raises((ValueError, ZeroDivisionError)):
        write_video(tmp_path / name, film[:2], overwrite=True)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [tmp_path / name]
    if name == "x":
        assert len(list((tmp_path / name).iterdir())) == 6
    else:
        assert len(read_gif(tmp_path / name)[0]) == 6


@pytest.mark.parametrize("name", ["x.avi", "x.GIFF"])
def test_unknown_endings_are_refused(film, tmp_path, name):
    with pytest.raises(ValueError, match=r"\.gif, \.mp4"):
        write_video(tmp_path / name, film)


@pytest.mark.parametrize(
    ("shape", "fps", "what"),
    [((0, 4, 4, 3), 24, "shape"), ((4, 4, 3), 24, "shape"), ((1, 4, 4, 3), 0, "fps")],
)
def test_write_video_refuses_what_is_no_film(tmp_path, shape, fps, what):
    with pytest.raises(ValueError, match=what):
        write_video(tmp_path / "x.gif", np.zeros(shape, np.uint8), fps)
    assert list(tmp_path.iterdir()) == []


def test_any_videos_stand_in_a_row_and_the_number_where_it_is_wanted(film):
    named = {"truth": film, "sample 1": 255 - film, "sample 2": film}
    out = in_a_row(named, zoom=2)
    plain = in_a_row(named, zoom=2, labels=False)
    strip, width = out.shape[1] - plain.shape[1], 2 * 48
    for k, frames in enumerate(named.values()):
        panel = plain[:, :, k * (width + 2) : k * (width + 2) + width]
        assert np.array_equal(panel, frames.repeat(2, axis=1).repeat(2, axis=2))
    for numbered, k in ((None, 0), ("sample 2", 2)):
        strips = in_a_row(named, zoom=2, numbered=numbered)[:, :strip]
        changes = (strips[:1] != strips[1:]).any(axis=(0, 1, 3))
        assert set(np.flatnonzero(changes) // (width + 2)) == {k}
    with pytest.raises(UserError, match="expected one shape"):
        in_a_row({})


@pytest.mark.parametrize("zoom", [0, -1, 1.5, "2", 10**30, 2000])
def test_a_zoom_that_makes_too_large_images_is_refused(film, zoom):
    with pytest.raises(UserError, match="zoom"):
        enlarge(film, zoom)


def test_memory_that_is_not_there_is_an_error_of_the_user(film, monkeypatch):
    def empty(*arguments):
        raise MemoryError

    monkeypatch.setattr("keras_cvae.video.panels.np.empty", empty)
    for make in (lambda: enlarge(film, 2), lambda: side_by_side(None, film, film)):
        with pytest.raises(UserError, match="GiB of memory.*smaller zoom, or fewer frames"):
            make()


@pytest.mark.parametrize("name", ["x.gif", "x.mp4", "x"])
def test_frames_over_the_bound_are_not_written(film, tmp_path, monkeypatch, name):
    monkeypatch.setenv("KERAS_CVAE_MAX_PIXELS", "1000")
    with pytest.raises(UserError, match="A frame of the video is 32 x 48 pixels.*MAX_PIXELS"):
        write_video(tmp_path / name, film)
    assert not list(tmp_path.iterdir())


def test_a_side_that_no_gif_can_have(tmp_path):
    with pytest.raises(UserError, match="1 x 65536 pixels.* at most 65535 a side"):
        write_video(tmp_path / "x.gif", np.zeros((1, 1, 65536, 3), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fps", [1e-320, 1e300])
def test_a_gif_of_any_speed(tmp_path, fps):
    write_video(tmp_path / "x.gif", np.zeros((2, 4, 4, 3), np.uint8), fps=fps)
    assert len(read_gif(tmp_path / "x.gif")[0]) == 2
