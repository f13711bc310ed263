"""The server of the page: its files, what it needs to know, and a socket for each open page."""

import asyncio
import base64
import hashlib
import json
import logging
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from keras_cvae.play.access import address_of_page, host_fits, origin_fits, site_fits
from keras_cvae.play.content import Content
from keras_cvae.play.html import PAGE, SERVED_UNDER, served_page
from keras_cvae.play.sockets import Sockets
from keras_cvae.predictor import Step

_DIGITS = 10  # of the seed of a dance, at most
_MOST_DANCES = 16  # that wait to be made
_PATIENCE = 1.0  # seconds for what is under way when the server stops
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

    Args:
        content: what the page needs to know.
        step_for: makes the step of prediction, see `Sockets`.

    Attributes:
        sockets: of the open pages.
    """

    def __init__(self, content: Content, step_for: Callable[[tuple, tuple], Step]):
        self.sockets = Sockets(step_for, content.frame_size, content.latent_shape)
        self._content = content
        self._values = json.dumps(content.values(), allow_nan=False).encode()
        self._page = served_page(content.name)
        self._dances = ThreadPoolExecutor(1, "keras_cvae-dances")
        self._waiting = 0

    async def start(self, listener: socket.socket) -> web.AppRunner:
        """Warms up, and begins to answer.

        Args:
            listener: a socket that listens. If its address reaches this machine alone, the names of
                this machine are the only ones under which the page is given.

        Returns:
            What stops the server: its `cleanup`.

        Raises:
            UserError: if the model gives no finite frame.
        """
        await self.sockets.warm_up()
        address, port = listener.getsockname()[:2]
        app = self._application(address, port)
        runner = web.AppRunner(app, access_log=None, logger=_LOG, shutdown_timeout=_PATIENCE)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        return runner

    def _application(self, address: str, port: int) -> web.Application:
        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            host, origin = request.headers.get("Host"), request.headers.get("Origin")
            if not host_fits(host, address, port):
                here = address_of_page(address, port)
                raise web.HTTPForbidden(text=f"This is the server of {here}.\n")
            if not (origin_fits(origin, request.host) and site_fits(request.headers, request.path)):
                raise web.HTTPForbidden(text="Only the page of this server may ask this.\n")
            return await handler(request)

        app = web.Application(middlewares=[guard])
        app.router.add_get("/", self._index)
        app.router.add_get(SERVED_UNDER + "{name}", self._file)
        app.router.add_get("/content.json", self._content_json)
        app.router.add_get("/dance.json", self._dance_json)
        app.router.add_get("/frames", self.sockets.answer, allow_head=False)
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
        if self._waiting >= _MOST_DANCES:
            raise web.HTTPServiceUnavailable(text="Too many dances are asked for; try again.\n")
        loop = asyncio.get_running_loop()
        dance = loop.run_in_executor(self._dances, self._content.dance, int(seed))
        self._waiting += 1
        dance.add_done_callback(self._made)  # whether or not somebody still waits for it
        return web.json_response(await dance)

    def _made(self, dance: asyncio.Future) -> None:
        self._waiting -= 1

    async def _close(self, app: web.Application) -> None:
        await self.sockets.close()
        self._dances.shutdown(wait=False, cancel_futures=True)


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
