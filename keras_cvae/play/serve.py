"""Starts the server of the page, opens a browser, and stops at Ctrl-C."""

import asyncio
import contextlib
import os
import socket
import sys
import threading
import warnings
import webbrowser
from collections.abc import Callable, Iterator

from keras_cvae import signals
from keras_cvae.errors import UserError
from keras_cvae.inference import load_predictor
from keras_cvae.play.access import address_of_page, is_loopback
from keras_cvae.play.content import Content
from keras_cvae.play.server import PlayServer

HOST, PORT = "127.0.0.1", 8000


def serve(
    model: str | os.PathLike,
    host: str = HOST,
    port: int | None = None,
    trust: bool = False,
    browser: bool = True,
) -> None:
    """Serves the page of a model until a signal asks the process to stop.

    Prints the address when the server answers. Call it in the main thread.

    Args:
        model: a model in any format, see `inference.load_predictor`.
        host: the name or address to listen at. Others can only reach another than a loopback one;
            a warning then says so.
        port: to listen at; 0 is any free one, `None` is 8000, or a free one if that is taken.
        trust: whether a format that can run code is loaded.
        browser: whether the page is opened in the user's browser.

    Raises:
        UserError: if the model cannot be loaded or played with, or the server cannot listen there.
        keras_cvae.signals.Stopped: when a signal has stopped it.
    """
    with _listening(host, port) as listener:
        predictor = load_predictor(model, trust)
        server = PlayServer(Content(model, predictor), predictor.step_for)
        received = asyncio.run(_served(server, listener, browser))
    raise signals.Stopped(received)


async def _served(server: PlayServer, listener: socket.socket, browser: bool) -> int:
    """Serves until a signal comes, and gives its number."""
    address, port = listener.getsockname()[:2]
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def note(signum: int) -> None:
        if not stopped.done():
            stopped.set_result(signum)

    with _signals_noted(note):
        runner = await server.start(listener)
        try:
            if not is_loopback(address):
                warnings.warn(
                    f"everybody who reaches {address} can use this page and this machine's time",
                    stacklevel=2,
                )
            url = address_of_page(address, port)
            print(f"the page is at {url} (Ctrl-C stops the server)", flush=True)
            if browser:  # some browsers of terminals end only when they are closed
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
            return await stopped
        finally:
            await runner.cleanup()


@contextlib.contextmanager
def _signals_noted(note: Callable[[int], None]) -> Iterator[None]:
    """Calls a function of the signal's number in the running loop."""
    loop = asyncio.get_running_loop()
    previous = signals.handle(lambda signum, frame: loop.call_soon_threadsafe(note, signum))
    # Python's handler alone does not wake a loop that begins to wait just as the signal comes. The
    # loops of Windows have no other, and wake by themselves.
    wakes = () if sys.platform == "win32" else tuple(previous)
    try:
        for signum in wakes:
            loop.add_signal_handler(signum, note, signum)
        yield
    finally:
        for signum in wakes:
            loop.remove_signal_handler(signum)
        signals.restore(previous)


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket that listens."""
    try:
        family, *_, address = socket.getaddrinfo(
            host, PORT if port is None else port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"The host {host!r} is not known ({error}). Give a name or an address of this machine, "
            f"such as {HOST}."
        ) from error
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if port is None:
            return _listening(host, 0)
        raise UserError(
            f"The server cannot listen at {host}, port {port} ({error.strerror}). Give another "
            "port, or 0 for a free one."
        ) from error
