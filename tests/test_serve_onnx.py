"""The example server: good requests, hostile ones, and good ones beside hostile ones."""

import io
import runpy
import socket
import threading
import time
import urllib.error
import urllib.request
import zipfile

import numpy as np
import pytest
from checks import TESTS

from keras_cvae.data.synthetic import builtin_videos

pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
SECONDS = 3  # the server's deadline here


@pytest.fixture(scope="module")
def example():
    """The example's names, with an address at which it serves."""
    values = runpy.run_path(str(TESTS.parent / "examples/serve_onnx.py"))
    values["Handler"].seconds = SECONDS
    server = values["Server"](("localhost", 0), values["Handler"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {**values, "address": server.server_address}
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def video():
    (video,) = builtin_videos("val", frames=5)
    return video


def npz(**arrays):
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


def post(example, data, **headers):
    """Status and body of the answer."""
    host, port = example["address"]
    request = urllib.request.Request(f"http://{host}:{port}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def raw(example, text, wait=True):
    """The first line of the answer to what is sent as it is, or the open socket."""
    client = socket.create_connection(example["address"], timeout=30)
    client.sendall(text)
    if not wait:
        return client
    with client:
        return client.makefile("rb").readline().decode()


def assert_serves(example, video):
    code, body = post(example, npz(first_frame=video.frames[0], poses=video.poses))
    assert code == 200
    expected = example["predictor"].predict_video(video.frames[0], video.poses)
    np.testing.assert_array_equal(np.load(io.BytesIO(body)), expected)


def test_a_good_request(example, video):
    assert_serves(example, video)


def test_silent_and_trickling_clients_hold_nobody_up(example, video):
    post_of_100 = b"POST / HTTP/1.0\r\nContent-Length: 100\r\n\r\n"
    silent = raw(example, b"", wait=False)
    head_alone = raw(example, b"POST / HTTP/1.0\r\n", wait=False)
    waiting = raw(example, post_of_100, wait=False)
    trickling = raw(example, post_of_100, wait=False)
    start = time.monotonic()
    assert_serves(example, video)
    assert time.monotonic() - start < SECONDS
    trickling.settimeout(0.2)
    answer = b""
    while not answer and time.monotonic() - start < 20 * SECONDS:
        try:
            trickling.sendall(b"x")
            answer = trickling.recv(1000)
        except TimeoutError:
            continue
    assert b"408" in answer and time.monotonic() - start < 3 * SECONDS
    assert b"408" in waiting.recv(1000)
    for client in (silent, head_alone, waiting, trickling):
        client.close()
    assert_serves(example, video)


def test_many_requests_at_once_are_told_so(example, video):
    text = b"POST / HTTP/1.0\r\nContent-Length: 100\r\n\r\n"
    waiting = [raw(example, text, wait=False) for _ in range(example["REQUESTS"])]
    time.sleep(0.5)
    assert post(example, b"x") == (503, b"Too many requests.")
    silent = [raw(example, b"", wait=False) for _ in range(example["CONNECTIONS"])]
    time.sleep(0.5)
    assert " 503 " in raw(example, b"")
    for client in (*waiting, *silent):
        client.close()
    time.sleep(0.5)
    assert_serves(example, video)


@pytest.mark.parametrize("length, code", [("", 411), ("-1", 400), ("ten", 400), ("9" * 9000, 413)])
def test_the_length_of_a_body(example, length, code):
    header = f"Content-Length: {length}\r\n" if length else ""
    line = raw(example, f"POST / HTTP/1.0\r\n{header}\r\n".encode())
    assert f" {code} " in line


def test_a_large_body_is_not_read(example, video):
    code, body = post(example, bytes(65 * 2**20))
    assert code == 413 and b"larger than 64 MB" in body
    assert_serves(example, video)


def bomb(claims, **options):
    """An .npz whose `poses` is many zeros, or claims to be."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": claims}
    )
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        np.save(frame := io.BytesIO(), np.zeros((32, 64, 3), "uint8"))
        archive.writestr("first_frame.npy", frame.getvalue())
        archive.writestr("poses.npy", header.getvalue() + bytes(options.get("zeros", 0)))
    return file.getvalue()


def test_what_unpacks_to_too_much(example):
    for data in (bomb((2**40, 32, 64, 3)), bomb((300, 32, 64, 3), zeros=257 * 2**20)):
        code, body = post(example, data)
        assert code == 413 and b"when it is unpacked" in body


def test_what_is_no_video(example, video):
    first, poses = video.frames[0], video.poses
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(200):
            archive.writestr(str(number), b"")
    for data, text in (
        (b"", b"zip"),
        (b"garbage", b"zip"),
        (npz(first_frame=first, poses=poses)[:-100], b"zip"),
        (many.getvalue(), b"too many members"),
        (npz(first_frame=first), b"poses is missing"),
        (npz(first_frame=first, poses=poses[:, :16]), b"poses must be"),
        (npz(first_frame=first[:16], poses=poses[:, :16]), b"first_frame must be (32, 64, 3)"),
        (npz(first_frame=first, poses=np.zeros((5001, 1), "uint8")), b"at most 5000"),
        (npz(first_frame=first, poses=np.array([{}], object)), b"Object arrays"),
        (npz(first_frame=first, poses=np.array(3)), b"len"),
        (bomb((-3, 32, 64, 3)), b"negative"),
    ):
        code, body = post(example, data)
        assert code == 400 and text in body, (code, body)
    assert " 501 " in raw(example, b"GET / HTTP/1.0\r\n\r\n")
    raw(example, b"\xff\x00\r\n\r\n")
    assert_serves(example, video)
