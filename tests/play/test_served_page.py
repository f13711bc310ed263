"""The pretrained dancer on the server that `play.py` starts, in Chromium."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from page_server import ready
from play_checks import REQUEST, check_a_dragged_wrist, rollout, unpacked

pytest.importorskip("aiohttp", reason="the extra 'play' is not installed")

from keras_cvae.images import to_uint8  # noqa: E402
from keras_cvae.inference import load_predictor  # noqa: E402
from keras_cvae.play.content import Content  # noqa: E402
from keras_cvae.play.server import PlayServer  # noqa: E402

PRETRAINED = Path(__file__).parents[2] / "saved_models" / "builtin_dancer.onnx"
FRAMES = 60

# Milliseconds of each of so many steps, one after the other, as the page takes them.
LATENCIES = """(async () => {
  const found = [];
  for (let n = 0; n < %d; n++) {
    const began = performance.now();
    await playground.step();
    found.push(performance.now() - began);
  }
  return found;
})()"""


@contextlib.contextmanager
def served(predictor):
    """The address of the page, its server, which runs in a thread, and its content."""
    content = Content(PRETRAINED, predictor)
    server = PlayServer(content, predictor.step_for)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        runner = wait(server.start(listener))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", server, content
        finally:
            wait(runner.cleanup())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()


@pytest.fixture(scope="module")
def predictor():
    return load_predictor(PRETRAINED)


@pytest.fixture(scope="module")
def here(predictor):
    with served(predictor) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser, here):
    """A page that is ready; what it complained about is an error at the end."""
    page = ready(browser.open(here[0]))
    yield page
    assert page.errors == []
    page.close()


@pytest.fixture(scope="module")
def expected(predictor, here):
    """The frames that `predict_video` predicts of the beginning of the choreography, (60, ...)."""
    content = here[2].values()
    first = unpacked(content["starts"][0]["image"])
    poses = unpacked(content["choreography"]["poses"])[: FRAMES + 1]
    return to_uint8(predictor.predict_video(first, poses, temperature=0.0))[1:]


def predicted(page, expected):
    """As many frames of the choreography, as the page's engine gives them."""
    noise = np.zeros(page.evaluate("playground.content.latent_shape"))
    return rollout(page, noise, len(expected)).reshape(expected.shape).astype(int)


def test_it_predicts_what_predict_video_predicts(page, expected):
    assert np.abs(predicted(page, expected) - expected).max() <= 1
    assert np.abs(expected[-1].astype(int) - expected[0]).max() > 50  # the dancer has moved


def test_a_dragged_wrist_moves_the_arm_in_the_picture(page):
    check_a_dragged_wrist(page)


def test_two_pages_have_a_state_each(browser, page, here, expected):
    """While another one dances, a page predicts as if it were alone."""
    url, server, _ = here
    other = ready(browser.open(url))
    assert len(server.sockets.sessions) == 2
    before = other.evaluate("playground.joints()")
    other.evaluate("playground.play('dance')")
    assert np.abs(predicted(page, expected) - expected).max() <= 1
    assert other.evaluate("playground.joints()") != before
    assert other.errors == []
    other.close()


def test_its_policy_allows_the_page_alone(page):
    """What the page needs is allowed, as the other tests show, and another address is not."""
    assert page.errors == []
    assert {address.split("/")[2] for address in page.requests} == {page.evaluate("location.host")}
    try:
        assert page.evaluate(REQUEST) == "connect-src"
    finally:
        page.errors.clear()  # Chromium reports it, as it should


@pytest.mark.slow
def test_a_frame_takes_less_than_40_milliseconds(page):
    page.evaluate(LATENCIES % 20)
    median = np.median(page.evaluate(LATENCIES % 200, timeout=60))
    print(f"median of 200 steps: {median:.1f} ms")
    assert median < 40
