from fractions import Fraction

import numpy as np
import pytest

from keras_cvae.video.timing import Rate, average_rate, constant_rate


def timed(stamps):
    return zip(stamps, stamps, strict=True)


def picked(stamps, fps, start=0.0, end=None, rate=None):
    """The numbers of the frames that are given for time stamps."""
    rate = rate or average_rate(np.array([stamp for stamp in stamps if stamp is not None]), None)
    return [one.number for one in constant_rate(timed(stamps), rate, fps, start, end)]


def by_the_rule(stamps, fps):
    """For each output index, the last frame whose rounded index is not later; exact."""
    at = [int(np.floor((stamp - stamps[0]) * fps + Fraction(1, 2))) for stamp in stamps]
    return [max(n for n, index in enumerate(at) if index <= k) for k in range(at[-1] + 1)]


@pytest.mark.parametrize("seed", range(20))
def test_frames_are_those_of_the_rule(seed):
    rng = np.random.default_rng(seed)
    steps = rng.integers(1, 9, size=40)  # of 1/30 s, at most 0.3 s
    stamps = [Fraction(int(n), 30) for n in np.cumsum([7, *steps])]
    fps = Fraction(int(rng.integers(1, 8)))
    got = picked(list(map(float, stamps)), float(fps))
    expected = by_the_rule(stamps, fps)
    # As in FFmpeg, a frame whose nearest output is behind the video's end is not given.
    assert got == expected[: len(got)] and len(expected) - len(got) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_frames_are_those_of_ffmpeg(seed):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    rng = np.random.default_rng(seed)
    stamps, fps = 10 * np.cumsum([0, *rng.integers(1, 20, size=60)]), (2, 3, 4, 5, 8)[seed]
    graph = av.filter.Graph()
    source = graph.add_buffer(width=16, height=16, format="gray", time_base=Fraction(1, 1000))
    nodes = [source, graph.add("fps", f"fps={fps}"), graph.add("buffersink")]
    graph.link_nodes(*nodes).configure()
    expected = []
    for number, stamp in [*enumerate(stamps), (None, None)]:
        frame = None
        if number is not None:
            frame = av.VideoFrame.from_ndarray(np.full((16, 16), number, np.uint8), format="gray")
            frame.pts, frame.time_base = int(stamp), Fraction(1, 1000)
        graph.push(frame)
        while True:
            try:
                expected.append(int(graph.pull().to_ndarray()[0, 0]))
            except (av.BlockingIOError, av.EOFError):
                break
    got = picked(list(stamps / 1000), fps)
    # FFmpeg knows no duration of the last frame here.
    assert abs(len(got) - len(expected)) <= 1
    assert all(a == b for a, b in zip(got, expected, strict=False))


@pytest.mark.parametrize("digits", [12, 3, 2])
def test_half_the_rate_takes_every_second_frame_by_rounded_stamps(digits):
    stamps = [round(n / 25, digits) for n in range(200)]
    assert picked(stamps, 12.5) == list(range(0, 200, 2))
    stamps = [round(n / 30, max(digits, 3)) for n in range(300)]
    assert picked(stamps, 15) == list(range(0, 300, 2))
    assert picked(stamps, 10) == list(range(1, 300, 3))
    assert picked(stamps, 30) == list(range(300))


def test_a_frame_is_repeated_for_a_second_and_a_gap_is_not_filled():
    stamps, rate = [0, 0.1, 0.2, 1.1, 1.2, 61.2, 61.3, 61.4], Rate(10.0, 1.0)
    assert picked(stamps, 10, rate=rate) == [0, 1, *[2] * 9, 3, 4, 5, 6, 7]
    # The gap counts for `start` and `end`, which are times that players show.
    assert picked(stamps, 10, start=30, rate=rate) == [5, 6, 7]
    assert picked(stamps, 10, start=1.1, end=61.3, rate=rate) == [3, 4, 5]


def test_a_slide_show_has_no_gaps():
    stamps = [0, 3, 6, 9]
    assert average_rate(np.array(stamps), None) == Rate(pytest.approx(1 / 3), 6.0)
    assert picked(stamps, 1 / 3) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "stamps",
    [
        [None] * 6,
        [0.0] * 6,
        [None, 0.1, 0.2, None, None, 0.5],
        [7.0, 7.1, 7.2, 0.0, 0.1, 0.2],
        [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2],
        [0.5, 0.4, 0.3, 0.2, 0.1, 0.0],
        [0.0, 0.1, 0.2, float("nan"), 0.4, 0.5],
        [0.0, 0.1, 0.2, -1e300, 0.4, 0.5],
    ],
)
def test_stamps_that_are_absent_or_wrong_go_on_at_the_average(stamps):
    rate = Rate(10.0, 1.0)
    assert picked(stamps, 10, rate=rate) == list(range(6))
    assert picked(stamps, 5, rate=rate) == [0, 2, 4]
    times = [one.seconds for one in constant_rate(timed(stamps), rate, 10)]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 0.3, [0, 1, 2]),
        (0.2, None, [2, 3, 4, 5, 6, 7, 8, 9]),
        (0.2, 0.6, [2, 3, 4, 5]),
        (0.93, None, [9]),
        (0.2, 0.21, [2]),
        (1.2, None, []),
    ],
)
def test_start_and_end(start, end, expected):
    stamps = [5 + n / 10 for n in range(10)]
    assert picked(stamps, 10, start, end) == expected


def test_no_frames_give_none():
    assert picked([], 10, rate=Rate(10.0, 1.0)) == []


def test_one_frame_is_given_once():
    assert picked([3.0], 10) == [0]
    assert picked([3.0], 0.01) == [0]


@pytest.mark.parametrize("stated", [None, 0.0, float("nan"), float("inf"), 12.0])
def test_without_stamps_the_file_states_the_rate(stated):
    for stamps in ([], [1.0], [1.0, 1.0]):
        assert average_rate(np.array(stamps), stated).fps == (12.0 if stated == 12.0 else 25.0)


def test_the_average_is_that_of_uneven_stamps_without_gaps():
    assert average_rate(np.array([0.2, 0.0, 0.1, 0.4]), 99.0).fps == pytest.approx(7.5)
    assert average_rate(np.array([0.0, 0.1, 50.0, 50.1]), None).fps == pytest.approx(10)
    assert average_rate(np.arange(10) / 30 + 1e6, 30.0).fps == 30.0
