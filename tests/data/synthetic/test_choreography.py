import numpy as np

from keras_cvae.data.synthetic.choreography import Deck, choreograph, interpolate


def test_curves_pass_through_the_keys_and_never_beyond():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.5, 3, 30)).round(3)
    keys = rng.normal(size=(30, 3))
    np.testing.assert_allclose(interpolate(times, keys, times[:-1]), keys[:-1], atol=1e-9)
    at = np.linspace(times[0], times[-1] - 1e-6, 2000)
    curve = interpolate(times, keys, at)
    segment = np.searchsorted(times, at, side="right") - 1
    low = np.minimum(keys[segment], keys[segment + 1])
    high = np.maximum(keys[segment], keys[segment + 1])
    assert (curve >= low - 1e-9).all() and (curve <= high + 1e-9).all()


def test_curves_are_smooth():
    times, keys = np.array([0.0, 10, 30, 35]), np.array([[0.0], [1], [2], [-1]])
    curve = interpolate(times, keys, np.linspace(0, 34.9, 5000))[:, 0]
    slope = np.diff(curve) / (34.9 / 4999)
    assert np.abs(np.diff(slope)).max() < 0.02  # no corner at a key


def test_equal_keys_stay_still():
    times = np.array([0.0, 5, 10, 15])
    curve = interpolate(times, np.array([[1.0], [3], [3], [0]]), np.linspace(5, 10, 50))
    np.testing.assert_allclose(curve, 3.0, rtol=1e-12)


def test_a_deck_gives_everything_before_anything_again():
    deck = Deck(np.random.default_rng(0), list("abcde"))
    drawn = [deck.draw() for _ in range(20)]
    assert all(sorted(drawn[i : i + 5]) == list("abcde") for i in range(0, 20, 5))
    assert drawn[:5] != drawn[5:10] or drawn[5:10] != drawn[10:15]


def test_a_shorter_dance_is_the_beginning_of_a_longer_one():
    short = choreograph(np.random.default_rng(3), 50, 0.7)
    long = choreograph(np.random.default_rng(3), 400, 0.7)
    for name in short.body:
        np.testing.assert_array_equal(short.body[name], long.body[name][:50])
    for side in ("left", "right"):
        np.testing.assert_array_equal(short.arms[side], long.arms[side][:50])
        for name in short.feet[side]:
            np.testing.assert_array_equal(short.feet[side][name], long.feet[side][name][:50])


def test_the_dancer_travels_and_turns_within_reach():
    motion = choreograph(np.random.default_rng(0), 2400, 0.7)
    x, yaw = motion.body["x"], motion.body["yaw"]
    assert x.min() < -0.5 and x.max() > 0.5
    assert np.abs(x).max() < 0.7 + 0.06  # leaning aside
    facing = np.cos(np.radians(yaw))
    assert (facing > 0.9).mean() > 0.4 and (facing < -0.8).mean() > 0.01
    assert (np.abs(facing) < 0.3).mean() > 0.05
