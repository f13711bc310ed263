"""scripts/play.py: it serves, says where, and stops; the page itself is in tests/play."""

import os
import re
import signal
import socket
import sys
import urllib.request
import webbrowser

import keras
import pytest
from checks import TINIEST, forget_poses
from script_checks import ROOT, finish, one_error, run_script, start

from keras_cvae import CVAE, runs, signals
from keras_cvae.play import serve

pytest.importorskip("aiohttp", reason="the extra 'play' is not installed")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Run folders of earlier versions, whose models do not say what drew their poses."""
    folder = tmp_path_factory.mktemp("play")
    keras.utils.set_random_seed(0)
    model = CVAE("multiscale", **{**TINIEST, "frame_size": (16, 24)})
    with pytest.MonkeyPatch.context() as patch:
        forget_poses(patch)
        for name, data in (("ball", "builtin-ball"), ("other", "my_data")):
            runs.create_run(folder / name, {"data": data, "schedule_epochs": 1})
            model.save(folder / name / runs.BEST)
    return folder


@pytest.fixture
def opened(monkeypatch):
    """What the browser was asked to open; it loads the page, and then Ctrl-C is pressed."""
    found = []

    def browse(url):
        with urllib.request.urlopen(url, timeout=20) as answer:
            found.append((url, answer.read().decode()))
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(webbrowser, "open", browse)
    return found


def address(out):
    return re.search(r"http://[^ ]+", out)[0]


def test_a_signal_ends_it_in_another_process():
    process = start([ROOT / "scripts" / "play.py", "--no-browser", "--port", 0])
    url = address(process.stdout.readline())
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert b"Play with builtin_dancer" in answer.read()
    process.send_signal(signal.SIGTERM)
    done = finish(process, 30)
    assert (done.code, done.err) == (143, "\nstopped\n")


def test_the_browser_opens_the_page_of_an_earlier_run(models, opened):
    before = signal.getsignal(signal.SIGINT)
    done = run_script("play", models / "ball", "--port", 0)
    assert (done.code, done.err) == (130, "\nstopped\n")
    assert signal.getsignal(signal.SIGINT) is before
    ((url, text),) = opened
    assert url == address(done.out) and url.startswith("http://127.0.0.1:")
    assert "Play with ball" in text


@pytest.mark.skipif(sys.platform == "win32", reason="its loops wake by themselves")
def test_a_signal_wakes_the_server_that_waits(models, opened, monkeypatch):
    """As it comes, the loop may be about to wait: Python's own handler then runs too late."""
    woken, original = [], serve.PlayServer.start

    async def start(*arguments):
        woken.append(signal.set_wakeup_fd(-1))
        signal.set_wakeup_fd(woken[0])
        return await original(*arguments)

    monkeypatch.setattr(serve.PlayServer, "start", start)
    before = [signal.getsignal(each) for each in signals.STOPPING]
    assert run_script("play", models / "ball", "--port", 0).code == 130
    assert woken[0] != -1
    assert [signal.getsignal(each) for each in signals.STOPPING] == before


def test_a_taken_port_is_replaced_unless_it_was_asked_for(models, opened, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = one_error(run_script("play", models / "ball", "--port", port))
        assert f"port {port} (" in error and "Give another port, or 0" in error
        monkeypatch.setattr(serve, "PORT", port)
        done = run_script("play", models / "ball")
    assert done.code == 130
    assert opened[0][0] == address(done.out) != f"http://127.0.0.1:{port}/"


def test_a_warning_says_that_others_reach_it(models, opened):
    with pytest.warns(UserWarning, match=r"^everybody who reaches 0\.0\.0\.0 can use this page"):
        done = run_script("play", models / "ball", "--port", 0, "--host", "0.0.0.0")
    assert done.code == 130 and len(opened) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.onnx"], "no model at nowhere.onnx"),
        (["OTHER", "--port", 0], "not known to be trained on poses that draw_skeleton drew"),
        (["--port", -1], "--port must be from 0 to 65535; got -1"),
        (["--port", 65536], "--port must be from 0 to 65535; got 65536"),
        (["--port", 0, "--host", "no.such.host.invalid"], "is not known"),
        (["--port", 0, "--host", "192.0.2.1"], "cannot listen at 192.0.2.1"),
    ],
    ids=str,
)
def test_what_cannot_work_is_one_line(models, arguments, message):
    given = [models / "other" if each == "OTHER" else each for each in arguments]
    error = one_error(run_script("play", *given, "--no-browser"))
    assert error.startswith("error: ") and message in error


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    error = one_error(run_script("play", "--no-browser"))
    assert "aiohttp is needed to serve the page" in error and "'keras_cvae[play]'" in error
