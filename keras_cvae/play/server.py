"""The server of the page: its files, what it needs to know, and a socket for each open page."""

import asyncio
import base64
import hashlib
import json
import logging
import re
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from keras_cvae.errors import UserError
from keras_cvae.play.access import host_fits, is_loopback, origin_fits
from keras_cvae.play.content import Content
from keras_cvae.play.html import PAGE, SERVED_UNDER, served_page
from keras_cvae.play.session import Session
from keras_cvae.predictor import Step

MAX_SOCKETS = 16  # pages that are open at the same time
_DIGITS = 10  # of the seed of a dance, at most
_PATIENCE = 1.0  # seconds for a page to confirm that its socket is closed
_GONE = 20.0  # seconds: a page that takes and answers nothing for so long is gone
_UNREAD = 2**16  # bytes that wait for a slow page before its next frame waits too
_KINDS = {".js": "text/javascript", ".css": "text/css"}  # of the files that pages ask for
_HEADERS = {
    "Cache-Control": "no-store",  # another model may be served here next time
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LOG = logging.getLogger(__name__)
_INLINE = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether the terminal shows an error: not if somebody sent what is no HTTP, or has gone."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, ConnectionError))


_LOG.addFilter(_is_our_fault)


class PlayServer:
    """Serves the page of a model.

    Steps of prediction run in one thread, one at a time, and each socket has at most one of them
    waiting: pages take turns, and one that reads slowly waits alone.

    Args:
        content: what the page needs to know.
        step_for: makes the step of prediction, see `Predictor`. It is called, and the step runs, in
            the thread of the steps.

    Attributes:
        sessions: of the sockets that are open.
    """

    def __init__(self, content: Content, step_for: Callable[[tuple, tuple], Step]):
        self.sessions: set[Session] = set()
        self._content, self._step_for = content, step_for
        self._values = json.dumps(content.values(), allow_nan=False).encode()
        self._page = served_page(content.name)
        self._steps = ThreadPoolExecutor(1, "keras_cvae-steps")
        self._dances = ThreadPoolExecutor(1, "keras_cvae-dances")
        self._sockets: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._step: Step | None = None

    async def warm_up(self) -> None:
        """Makes the step and runs it once, as the first time takes long on most runtimes."""
        size, latent_shape = self._content.frame_size, self._content.latent_shape

        def prepared() -> Step:
            step = self._step_for((1, *size, 3), latent_shape)
            trial = Session(step, size, latent_shape)
            trial.answer(b"\x01" + bytes(size[0] * size[1] * 3))
            trial.answer(b"\x02" + bytes(trial.longest - 1))
            return step

        self._step = await self._in(self._steps, prepared)

    async def start(self, listener: socket.socket) -> web.AppRunner:
        """Begins to answer.

        Args:
            listener: a socket that listens. If its address reaches this machine alone, the names of
                this machine are the only ones under which the page is given.

        Returns:
            What stops the server: its `cleanup`.
        """
        address, port = listener.getsockname()[:2]
        app = self._application(port, is_loopback(address))
        runner = web.AppRunner(app, access_log=None, logger=_LOG, shutdown_timeout=_PATIENCE)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        return runner

    def _application(self, port: int, local: bool) -> web.Application:

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            host, origin = request.headers.get("Host"), request.headers.get("Origin")
            if not host_fits(host, port, local):
                raise web.HTTPForbidden(text=f"This is the server of http://127.0.0.1:{port}/.\n")
            if not origin_fits(origin, request.host):
                raise web.HTTPForbidden(text="Only the page of this server may ask this.\n")
            return await handler(request)

        app = web.Application(middlewares=[guard])
        app.router.add_get("/", self._index)
        app.router.add_get(SERVED_UNDER + "{name}", self._file)
        app.router.add_get("/content.json", self._content_json)
        app.router.add_get("/dance.json", self._dance_json)
        app.router.add_get("/frames", self._frames, allow_head=False)
        app.on_response_prepare.append(_add_headers)
        app.on_shutdown.append(self._close)
        return app

    async def _index(self, request: web.Request) -> web.Response:
        policy = _policy(self._page, request.host)
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=self._page, content_type="text/html", headers=headers)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        found = {file.name: file for file in PAGE.iterdir()}.get(name)
        kind = next((kind for end, kind in _KINDS.items() if name.endswith(end)), None)
        if found is None or kind is None:
            raise web.HTTPNotFound
        return web.Response(body=found.read_bytes(), content_type=kind, charset="utf-8")

    async def _content_json(self, request: web.Request) -> web.Response:
        return web.Response(body=self._values, content_type="application/json")

    async def _dance_json(self, request: web.Request) -> web.Response:
        seed = request.query.get("seed", "")
        if not (seed.isascii() and seed.isdecimal() and len(seed) <= _DIGITS):
            raise web.HTTPBadRequest(text=f"seed must be an integer of up to {_DIGITS} digits.\n")
        dance = await self._in(self._dances, self._content.dance, int(seed))
        return web.json_response(dance)

    async def _frames(self, request: web.Request) -> web.WebSocketResponse:
        assert self._step is not None, "warm_up comes first"
        session = Session(self._step, self._content.frame_size, self._content.latent_shape)
        page = web.WebSocketResponse(
            timeout=_PATIENCE,
            heartbeat=_GONE,
            compress=False,
            max_msg_size=session.longest + 1,  # of this size and above, aiohttp refuses
            writer_limit=_UNREAD,
        )
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the page was closed meanwhile")
        try:
            await page.prepare(request)
        except ValueError as error:  # a header that is not ASCII
            raise web.HTTPBadRequest(text="This does not open a WebSocket.\n") from error
        if len(self.sessions) >= MAX_SOCKETS:
            full = (
                f"{MAX_SOCKETS} pages are open, the most that this server has. Close one of them."
            )
            await _within(transport, _refuse(page, full, WSCloseCode.TRY_AGAIN_LATER))
            return page
        self.sessions.add(session)
        self._sockets[page] = transport
        try:
            await self._converse(page, session, transport)
        finally:
            self.sessions.remove(session)
            del self._sockets[page]
        return page

    async def _converse(
        self, page: web.WebSocketResponse, session: Session, transport: asyncio.Transport
    ) -> None:
        async for message in page:
            try:
                if message.type is not WSMsgType.BINARY:
                    raise UserError("A message must be bytes; got text.")
                answer = await self._in(self._steps, session.answer, message.data)
            except UserError as error:
                refusal = _refuse(page, str(error), WSCloseCode.POLICY_VIOLATION)
                await _within(transport, refusal)
                return
            except Exception:  # a fault of the program: the terminal shows it
                told = "The server failed; its terminal says why."
                await _within(transport, _refuse(page, told, WSCloseCode.INTERNAL_ERROR))
                raise
            if not await _within(transport, page.send_bytes(answer)):
                return

    async def _in(self, pool: ThreadPoolExecutor, function: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)

    async def _close(self, app: web.Application) -> None:
        closing = [
            _within(transport, page.close(code=WSCloseCode.GOING_AWAY), _PATIENCE)
            for page, transport in self._sockets.items()
        ]
        await asyncio.gather(*closing)
        for pool in (self._steps, self._dances):
            pool.shutdown(wait=False, cancel_futures=True)


async def _refuse(page: web.WebSocketResponse, error: str, code: int) -> None:
    """Says why, and closes the socket."""
    await page.send_json({"error": error})
    await page.close(code=code)


async def _within(
    transport: asyncio.Transport, sending: Coroutine[Any, Any, Any], seconds: float | None = None
) -> bool:
    """Sends something; whether the page took it. If not, the connection is ended.

    A transport that is closed waits until the page has taken the rest, which may be never; only one
    that is aborted is gone.
    """
    try:
        async with asyncio.timeout(_GONE if seconds is None else seconds):
            await sending
    except (TimeoutError, ConnectionError):
        transport.abort()
        return False
    return True


async def _add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'")


def _policy(page: str, host: str) -> str:
    """What the page may do: use what this server has, and nothing else."""
    hashes = [hashlib.sha256(text.encode()).digest() for text in _INLINE.findall(page)]
    scripts = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {scripts}",
            "style-src 'self'",
            f"connect-src 'self' ws://{host}",  # some browsers do not count sockets as 'self'
            "img-src 'self' data: blob:",
            "media-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
