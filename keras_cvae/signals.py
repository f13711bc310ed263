"""The signals that ask a process to stop: Ctrl-C, and those of batch systems and terminals."""

import signal
from collections.abc import Callable, Mapping
from typing import Any

# SIGHUP does not exist on Windows.
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """A signal asked the program to stop. What handles Ctrl-C handles it too.

    Args:
        signum: the number of the signal.

    Attributes:
        exit_code: 128 + signum, what shells expect: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, signum: int = signal.SIGINT):
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """The exit code of a program that an interrupt stopped."""
    return getattr(interrupt, "exit_code", 128 + signal.SIGINT)


def handle(handler: Callable[[int, Any], object]) -> dict[int, Any]:
    """Sets a handler of the stopping signals. One that is ignored, as under nohup, stays ignored.

    Call it in the main thread.

    Args:
        handler: function of the signal's number and the frame.

    Returns:
        dict signal -> previous handler, for `restore`.
    """
    return {
        signum: signal.signal(signum, handler)
        for signum in STOPPING
        if signal.getsignal(signum) is not signal.SIG_IGN
    }


def restore(previous: Mapping[int, Any]) -> None:
    """Sets the handlers that `handle` replaced."""
    for signum, handler in previous.items():
        signal.signal(signum, handler)


def stop(signum: int, frame: Any) -> None:
    """A handler: raises `Stopped`."""
    raise Stopped(signum)
