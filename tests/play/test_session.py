import numpy as np
import pytest

from keras_cvae.errors import UserError
from keras_cvae.play.session import START, STEP, Session

SIZE, LATENT = (2, 3), (1, 2, 4)
IMAGE = 2 * 3 * 3


def mean_step(previous, pose, noise):
    """A frame that depends on all three, and is bounded."""
    assert previous.shape == pose.shape == (1, *SIZE, 3) and noise.shape == (1, *LATENT)
    assert {previous.dtype, pose.dtype, noise.dtype} == {np.dtype("float32")}
    return (previous / 2 + pose / 4 + np.clip(noise.mean(), 0, 1) / 4).astype(np.float32)


def session(step=mean_step):
    return Session(step, SIZE, LATENT)


def image(seed):
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)


def start(seed=0):
    return bytes([START]) + image(seed).tobytes()


def step(noise=0.0, seed=1):
    values = np.broadcast_to(np.float32(noise), LATENT).astype("<f4")
    return bytes([STEP]) + values.tobytes() + image(seed).tobytes()


def test_a_start_is_echoed():
    assert session().answer(start()) == start()


def test_steps_go_on_in_float32():
    here, frame = session(), image(0) / np.float32(255)
    here.answer(start(0))
    for t in range(5):
        pose = image(t) / np.float32(255)
        frame = mean_step(frame[None], pose[None], np.full((1, *LATENT), 0.3, "float32"))[0]
        answer = here.answer(step(0.3, seed=t))
        expected = np.rint(frame * 255).astype(np.uint8)
        assert answer == bytes([STEP]) + expected.tobytes()


def test_noise_has_its_order():
    seen = []

    def keep(previous, pose, noise):
        seen.append(noise[0].copy())
        return previous

    here = session(keep)
    here.answer(start())
    noise = np.arange(8, dtype="<f4").reshape(LATENT)
    here.answer(bytes([STEP]) + noise.tobytes() + image(1).tobytes())
    np.testing.assert_array_equal(seen[0], noise)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"", "got nothing"),
        (b"\x00" + bytes(IMAGE), r"1 \(start\) or 2 \(step\); got 0"),
        (b"{}", "got 123"),
        (start()[:-1], "has 19 bytes for this model; got 18"),
        (start() + b"\x00", "has 19 bytes for this model; got 20"),
        (step()[:-1], "has 51 bytes for this model; got 50"),
        (step() + b"\x00", "got 52"),
        (step(np.nan), "finite numbers"),
        (step(-np.inf), "finite numbers"),
    ],
)
def test_other_messages_are_refused_and_change_nothing(message, error):
    here, other = session(), session()
    for each in (here, other):
        each.answer(start())
    with pytest.raises(UserError, match=error):
        here.answer(message)
    assert here.answer(step()) == other.answer(step())


def test_a_step_needs_a_start():
    with pytest.raises(UserError, match="send a start first"):
        session().answer(step())


def test_a_prediction_that_is_not_finite_is_refused():
    here = session(lambda previous, pose, noise: previous * np.float32(1e38) * noise.max() * 100)
    here.answer(start())
    with pytest.raises(UserError, match="not finite"):
        here.answer(step(1e30))
    assert here.answer(start(5)) == start(5)


def test_whatever_comes_gets_a_frame_or_one_clear_error():
    hypothesis = pytest.importorskip("hypothesis")
    st = hypothesis.strategies
    floats = st.floats(width=32)
    good = st.one_of(
        st.builds(start, st.integers(0, 9)), st.builds(step, floats, st.integers(0, 9))
    )
    harmed = st.builds(
        lambda message, at, byte: message[:at] + byte + message[at + 1 :],
        good,
        st.integers(0, 60),
        st.binary(max_size=3),
    )

    @hypothesis.settings(max_examples=200, deadline=None)
    @hypothesis.given(st.lists(st.one_of(good, harmed, st.binary(max_size=60)), max_size=8))
    def converse(messages):
        here, started = session(), False
        for message in messages:
            try:
                answer = here.answer(message)
            except UserError as error:
                assert "\n" not in str(error)
                continue
            started = started or message[0] == START
            assert started and answer[0] == message[0] and len(answer) == 1 + IMAGE

    converse()
