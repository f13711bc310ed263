"""The page on a server of the tests, with a content and a model of their own choice."""

import asyncio
import contextlib
import threading

import numpy as np
import pytest

from keras_cvae.play.html import PAGE, served_page


def blend(previous, pose, noise):
    """A model that takes no time: the previous frame fades, and the pose appears; z shifts it."""
    return (previous.astype(int) + pose + 20 * np.clip(noise.mean(), -1, 1)).clip(0, 510) / 2


@contextlib.contextmanager
def page_server(content, model=blend, dance=None):
    """Serves the page while the context is open.

    Args:
        content: what content.json gives.
        model: function of the previous frame, the pose and the noise that gives a frame.
        dance: function of a seed that gives dance.json.

    Yields:
        The address of the page.
    """
    web = pytest.importorskip("aiohttp.web", reason="aiohttp is not installed")
    height, width = content["frame_size"]
    image, noise = 3 * height * width, 4 * int(np.prod(content["latent_shape"]))

    async def frames(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        frame = None
        async for message in socket:
            kind, data = message.data[0], message.data[1:]
            pose = np.frombuffer(data[-image:], np.uint8).reshape(height, width, 3)
            if kind == 1:
                assert len(data) == image
                frame = pose
            else:
                assert len(data) == image + noise
                frame = model(frame, pose, np.frombuffer(data[:noise], "<f4"))
            await socket.send_bytes(bytes([kind]) + np.asarray(frame).astype(np.uint8).tobytes())
        return socket

    async def page(_):
        return web.Response(text=served_page(content["name"]), content_type="text/html")

    async def described(_):
        return web.json_response(content)

    async def danced(request):
        return web.json_response(dance(int(request.query["seed"])))

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/content.json", described)])
    app.add_routes([web.get("/frames", frames), web.get("/dance.json", danced)])
    app.router.add_static("/page", str(PAGE))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start():
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
