import numpy as np
import pytest

from keras_cvae.data.synthetic import ball, ball_centres, ball_radius, render_video
from keras_cvae.data.synthetic.ball import GRAVITY, RADIUS, RESTITUTION, Ball, ball_box, bounce
from keras_cvae.data.synthetic.picture import projection_of

SIZES = [(32, 64), (64, 32), (48, 48), (16, 16), (33, 147), (256, 20)]


def flight(seed, frames, size=(32, 64)):
    return bounce(np.random.default_rng(seed), frames, *ball_box(projection_of(size), size))


@pytest.fixture
def dropped(monkeypatch):
    """Makes a flight of a ball that starts with one velocity and gets no kick."""

    def make(velocity, frames, low, high):
        monkeypatch.setattr(ball, "_kick", lambda rng: velocity)
        monkeypatch.setattr(ball, "_interval", lambda rng: np.inf)
        return bounce(np.random.default_rng(0), frames, np.array(low), np.array(high))

    return make


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_ball_stays_in_the_picture_and_on_the_floor(size):
    centres, radius = ball_centres(3, 5000, size), ball_radius(size)
    rounding = 1e-6
    assert centres.shape == (5000, 2)
    assert (centres >= radius - rounding).all()
    assert (centres <= np.array(size[::-1]) - radius + rounding).all()
    project = projection_of(size)
    floor = project(np.array([0.0, 0.0, 0.2]))[1]
    assert centres[:, 1].max() == pytest.approx(floor - radius)  # it lies on it at times
    assert floor < size[0]
    low, high = ball_box(project, size)
    assert low[1] == RADIUS and low[0] == pytest.approx(-high[0])


def test_energy_is_lost_between_kicks_and_never_gained():
    centres, velocities, kicks = flight(1, 5000)
    energy = (velocities**2).sum(axis=1) / 2 + GRAVITY * centres[:, 1]
    kicked = np.histogram(kicks, np.arange(5001))[0][:-1] > 0
    change = np.diff(energy)[~kicked]
    assert change.max() < 1e-12
    assert (change < -1e-5).mean() > 0.03  # the bounces
    assert np.abs(change[np.abs(change) > 1e-12]).min() > 1e-9  # free flight loses nothing


def test_the_restitution_is_that_of_the_speed(dropped):
    low, high = (-1.0, 0.1), (1.0, 2.0)
    height = dropped((0.0, 0.0), 120, low, high).centres[:, 1] - low[1]
    inner = height[1:-1]
    peaks = inner[(inner > height[:-2]) & (inner >= height[2:])]
    expected = height[0] * RESTITUTION ** (2 * np.arange(1, 4))
    np.testing.assert_allclose(peaks[:3], expected, atol=GRAVITY / 8)

    speeds = np.abs(dropped((0.5, 0.0), 40, low, high).velocities[:, 0])
    ratios = speeds[1:] / speeds[:-1]
    assert set(np.round(ratios, 9)) == {1.0, RESTITUTION}


def test_the_ball_comes_back_from_the_top(dropped):
    found = dropped((0.0, 0.2), 60, (-1.0, 0.1), (1.0, 0.8))
    assert 0.7 < found.centres[:, 1].max() <= 0.8
    assert (found.velocities[:10, 1] < 0).any()


def test_a_ball_without_kicks_comes_to_rest(dropped):
    assert (dropped((0.01, 0.05), 600, (-1.0, 0.1), (1.0, 1.0)).velocities[-200:, 1] == 0).all()


def test_kicks_come_at_random_times():
    centres, velocities, kicks = flight((0, 1, 0), 5000)
    pauses = np.diff(kicks)
    assert 210 < len(kicks) < 290
    assert pauses.min() >= 6 and pauses.mean() == pytest.approx(20, abs=2)
    assert pauses.std() == pytest.approx(14, abs=3)
    resting = velocities[:, 1] == 0
    assert resting.any() and resting.mean() < 0.1
    still = resting[:-1] & ~resting[1:]  # a ball leaves the floor by a kick alone
    assert set(np.flatnonzero(still)) <= set(np.floor(kicks).astype(int))


def test_a_shorter_flight_is_the_beginning_of_a_longer_one():
    short, long = flight(5, 150), flight(5, 900)
    np.testing.assert_array_equal(short.centres, long.centres[:150])
    np.testing.assert_array_equal(short.velocities, long.velocities[:150])
    np.testing.assert_array_equal(short.kicks, long.kicks[long.kicks < 150])


def test_the_ball_crosses_one_to_two_pixels_per_frame():
    centres = ball_centres(0, 3000)
    assert 1 < np.linalg.norm(np.diff(centres, axis=0), axis=1).mean() < 2
    assert np.ptp(centres[:, 0]) > 50 and np.ptp(centres[:, 1]) > 22


def test_other_seeds_are_other_flights():
    flights = [ball_centres(seed, 60) for seed in (0, 1, (1, 2), (2, 1))]
    for i, one in enumerate(flights):
        for other in flights[:i]:
            assert np.linalg.norm(one - other, axis=1).mean() > 5


def test_the_drawn_disc_has_its_centre_and_radius(project):
    centres = np.array([[0.0, 0.5, 0.2], [0.213, 0.3337, 0.2]])
    for t, centre in enumerate(project(centres)):
        canvas = np.zeros((640, 600, 3), np.uint8)
        Ball(centres, project, 4).draw(canvas, t)
        y, x = np.nonzero(canvas[..., 0] > ball.SHADED[0] / 2)
        np.testing.assert_allclose([(x.mean() + 0.5) / 4, (y.mean() + 0.5) / 4], centre, atol=0.05)
        assert np.sqrt(len(x) / 16 / np.pi) == pytest.approx(RADIUS * project.scale, abs=0.06)


def test_it_is_lit_from_the_upper_left(project):
    canvas = np.zeros((160, 150, 3), np.uint8)
    Ball(np.array([[0.0, 0.5, 0.0]]), project, 1).draw(canvas, 0)
    (x, y), away = project(np.array([0.0, 0.5, 0.0])), 0.5 * RADIUS * 100
    lit, dark = (canvas[int(y + s * away), int(x + s * away)].astype(int).sum() for s in (-1, 1))
    assert lit > dark + 60


def test_its_colours_are_nowhere_else():
    pixels = np.unique(render_video(4, 300).frames.reshape(-1, 3), axis=0).astype(float)
    for colour, least in ((ball.LIT, 150), (ball.SHADED, 120), (ball.GLOSS, 90)):
        assert np.linalg.norm(pixels - colour, axis=1).min() > least
