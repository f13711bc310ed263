"""A process on one backend that calls functions of test modules; `checks.call` talks to it.

A line of JSON in: `{"path": ..., "function": ..., "arguments": [...]}`. A line of JSON out:
`{"printed": ..., "error": traceback or null}`.
"""

import contextlib
import importlib
import io
import json
import os
import sys
import traceback
from pathlib import Path


def serve(requests, replies):
    for line in requests:
        request = json.loads(line)
        printed, error = io.StringIO(), None
        with contextlib.redirect_stdout(printed):
            try:
                _call(**request)
            except BaseException:
                error = traceback.format_exc()
        replies.write(json.dumps({"printed": printed.getvalue(), "error": error}) + "\n")
        replies.flush()


def _call(path, function, arguments):
    path = Path(path)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    getattr(importlib.import_module(path.stem), function)(*arguments)


if __name__ == "__main__":
    # What libraries print to the file descriptor goes to stderr, not among the replies.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, replies)
