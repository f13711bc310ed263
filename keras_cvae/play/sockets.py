"""The sockets of the open pages: a session for each, and steps in turn."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from keras_cvae.errors import UserError
from keras_cvae.play.session import START, STEP, Session
from keras_cvae.predictor import Step

MAX_SOCKETS = 16  # pages that are open at the same time
_PATIENCE = 1.0  # seconds for a page to confirm that its socket is closed
_GONE = 20.0  # seconds: a page that takes and answers nothing for so long is gone
_UNREAD = 2**16  # bytes that wait for a slow page before its next frame waits too


class Sockets:
    """Answers the messages of pages.

    Steps of prediction run in one thread, one at a time, and each socket has at most one of them
    waiting: pages take turns, and one that reads slowly waits alone.

    Args:
        step_for: makes the step of prediction, see `Predictor`. It is called, and the step runs, in
            the thread of the steps.
        frame_size: (height, width) of the frames.
        latent_shape: of one frame's z.

    Attributes:
        sessions: of the sockets that are open.
    """

    def __init__(
        self,
        step_for: Callable[[tuple, tuple], Step],
        frame_size: tuple[int, int],
        latent_shape: tuple[int, ...],
    ):
        self.sessions: set[Session] = set()
        self._step_for, self._sizes = step_for, (frame_size, latent_shape)
        self._thread = ThreadPoolExecutor(1, "keras_cvae-steps")
        self._open: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._step: Step | None = None

    async def warm_up(self) -> None:
        """Makes the step and runs it once, as the first time takes long on most runtimes.

        Raises:
            UserError: if it does not give a finite frame.
        """
        (height, width), latent_shape = self._sizes

        def prepared() -> Step:
            step = self._step_for((1, height, width, 3), latent_shape)
            trial = Session(step, *self._sizes)
            trial.answer(bytes([START]) + bytes(height * width * 3))
            trial.answer(bytes([STEP]) + bytes(trial.longest - 1))
            return step

        self._step = await self._in_turn(prepared)

    async def answer(self, request: web.Request) -> web.WebSocketResponse:
        """Opens a socket, and answers its messages until it is closed."""
        assert self._step is not None, "warm_up comes first"
        session = Session(self._step, *self._sizes)
        socket = web.WebSocketResponse(
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
            await socket.prepare(request)
        except ValueError as error:  # a header that is not ASCII
            raise web.HTTPBadRequest(text="This does not open a WebSocket.\n") from error
        if len(self.sessions) >= MAX_SOCKETS:
            full = f"{MAX_SOCKETS} pages are open, as many as this server has. Close one of them."
            await _within(transport, _refuse(socket, full, WSCloseCode.TRY_AGAIN_LATER))
            return socket
        self.sessions.add(session)
        self._open[socket] = transport
        try:
            await self._converse(socket, session, transport)
        finally:
            self.sessions.remove(session)
            del self._open[socket]
        return socket

    async def _converse(
        self, socket: web.WebSocketResponse, session: Session, transport: asyncio.Transport
    ) -> None:
        async for message in socket:
            try:
                if message.type is not WSMsgType.BINARY:
                    raise UserError("A message must be bytes; got text.")
                answer = await self._in_turn(session.answer, message.data)
            except UserError as error:
                refusal = _refuse(socket, str(error), WSCloseCode.POLICY_VIOLATION)
                await _within(transport, refusal)
                return
            except Exception:  # a fault of the program: the terminal shows it
                told = "The server failed; its terminal says why."
                await _within(transport, _refuse(socket, told, WSCloseCode.INTERNAL_ERROR))
                raise
            if not await _within(transport, socket.send_bytes(answer)):
                return

    async def _in_turn(self, function: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def close(self) -> None:
        """Closes all sockets, and waits for no page for long."""
        closing = [
            _within(transport, socket.close(code=WSCloseCode.GOING_AWAY), _PATIENCE)
            for socket, transport in self._open.items()
        ]
        await asyncio.gather(*closing)
        self._thread.shutdown(wait=False, cancel_futures=True)


async def _refuse(socket: web.WebSocketResponse, error: str, code: int) -> None:
    """Says why, and closes the socket."""
    await socket.send_json({"error": error})
    await socket.close(code=code)


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
