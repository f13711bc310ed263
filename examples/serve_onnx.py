"""Serves the pretrained ONNX model over HTTP: numpy, onnxruntime and the standard library.

    python examples/serve_onnx.py 8000

POST an `.npz` of `first_frame` (32, 64, 3) and `poses` (T, 32, 64, 3), uint8; the answer is an
`.npy` of the video, (T, 32, 64, 3) float32. From Python:

    numpy.savez(file := io.BytesIO(), first_frame=first_frame, poses=poses)
    reply = urllib.request.urlopen("http://localhost:8000", data=file.getvalue()).read()
    video = numpy.load(io.BytesIO(reply))
"""

import io
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np

from keras_cvae.inference import load_predictor

MODEL = Path(__file__).parents[1] / "saved_models/builtin_dancer.onnx"
predictor = load_predictor(MODEL)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        try:
            given = np.load(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
            np.save(
                reply := io.BytesIO(), predictor.predict_video(given["first_frame"], given["poses"])
            )
            code, body = 200, reply.getvalue()
        except Exception as error:  # every request gets an answer
            code, body = 400, str(error).encode()
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer(("localhost", int(sys.argv[1])), Handler).serve_forever()
