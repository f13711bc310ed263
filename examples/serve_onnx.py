"""Serves the pretrained ONNX model over HTTP: numpy, onnxruntime and the standard library.

    python examples/serve_onnx.py 8000

POST an `.npz` of `first_frame` (32, 64, 3) and `poses` (T, 32, 64, 3), uint8; the answer is an
`.npy` of the video, (T, 32, 64, 3) float32. From Python:

    numpy.savez(file := io.BytesIO(), first_frame=first_frame, poses=poses)
    reply = urllib.request.urlopen("http://localhost:8000", data=file.getvalue()).read()
    video = numpy.load(io.BytesIO(reply))

A request that is too large, too slow or no video gets a line of text that says so. There is no
login and no encryption: for more than your own computer, put a proxy in front.
"""

import argparse
import contextlib
import io
import math
import socket
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from keras_cvae.inference import load_predictor

MODEL = Path(__file__).parents[1] / "saved_models/builtin_dancer.onnx"
MB = 2**20
FRAMES = 5000
CONNECTIONS, REQUESTS = 64, 4  # at once; further ones get 503
predictor = load_predictor(MODEL)


class Refused(Exception):
    """An HTTP status and a text."""


class Handler(BaseHTTPRequestHandler):
    max_mb, seconds = 64, 30  # of a request's body, and until it has arrived
    requests = threading.BoundedSemaphore(REQUESTS)
    error_message_format, error_content_type = "%(message)s\n", "text/plain"

    def setup(self) -> None:
        self.timeout = self.seconds  # of each read, and of the whole answer
        super().setup()
        # A client that sends a byte now and then meets no time-out: its input ends here.
        self.deadline = threading.Timer(self.seconds, self.end_input)
        self.deadline.daemon = True
        self.deadline.start()

    def end_input(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def finish(self) -> None:
        self.deadline.cancel()
        super().finish()
        with contextlib.suppress(OSError):  # who still sends would not see the answer
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            end = time.monotonic() + 2
            while time.monotonic() < end and self.connection.recv(MB):
                pass

    def do_POST(self) -> None:
        free = self.requests.acquire(blocking=False)
        try:
            code, body = (200, answer(self.body())) if free else (503, b"Too many requests.")
        except Refused as refused:
            code, body = refused.args[0], refused.args[1].encode()
        except TimeoutError:
            code, body = 408, b"The request did not arrive in time."
        except Exception as error:  # every request gets an answer
            code, body = 400, (str(error)[:500] or type(error).__name__).encode()
        finally:
            if free:
                self.requests.release()
        with contextlib.suppress(OSError):  # the client is gone
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

    def body(self) -> bytes:
        length = self.headers["Content-Length"]
        if length is None:
            raise Refused(411, "The request needs a Content-Length.")
        if not (length.isascii() and length.isdecimal()):
            raise Refused(400, "Content-Length must be a number of bytes.")
        if len(length) > 18 or int(length) > self.max_mb * MB:
            raise Refused(413, f"The request is larger than {self.max_mb} MB.")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise TimeoutError
        return data


class Server(ThreadingHTTPServer):
    request_queue_size = CONNECTIONS
    free = threading.BoundedSemaphore(CONNECTIONS)

    def process_request(self, request, address) -> None:
        if self.free.acquire(blocking=False):
            super().process_request(request, address)
        else:
            request.sendall(b"HTTP/1.0 503 Busy\r\n\r\nToo many connections.")
            self.shutdown_request(request)

    def process_request_thread(self, request, address) -> None:
        try:
            super().process_request_thread(request, address)
        finally:
            self.free.release()


def answer(data: bytes) -> bytes:
    if data.count(b"PK\1\2") > 100:  # reading the list of a million members takes a gigabyte
        raise Refused(400, "The .npz has too many members.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first_frame, poses = unpacked(archive, "first_frame", 1), unpacked(archive, "poses", 256)
    if first_frame.shape != (*predictor.frame_size, 3) or len(poses) > FRAMES:
        raise Refused(
            400,
            f"first_frame must be {(*predictor.frame_size, 3)}, and poses at most {FRAMES}; got "
            f"{first_frame.shape} and {len(poses)}.",
        )
    np.save(reply := io.BytesIO(), predictor.predict_video(first_frame, poses))
    return reply.getvalue()


def unpacked(archive: zipfile.ZipFile, name: str, most_mb: int) -> np.ndarray:
    """An array of an .npz, if it is no larger than so many MB; its header is read first."""
    if f"{name}.npy" not in archive.namelist():
        raise Refused(400, f"{name} is missing: the body must be an .npz of first_frame and poses.")
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(400, f"{name} is compressed in a way that numpy.savez does not use.")
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise Refused(400, f"{name} is not as numpy.savez writes it.")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if max(member.file_size, math.prod(shape) * dtype.itemsize) > most_mb * MB:
        raise Refused(413, f"{name} is larger than {most_mb} MB when it is unpacked.")
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve the pretrained model on localhost.")
    parser.add_argument("port", type=int)
    parser.add_argument("--max-mb", type=int, default=Handler.max_mb, help="of a request's body")
    options = parser.parse_args()
    Handler.max_mb = options.max_mb
    Server(("localhost", options.port), Handler).serve_forever()
