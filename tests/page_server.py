"""The page on a server of the tests, with a content and a model of their own choice."""

import asyncio
import contextlib
import threading

import numpy as np
import pytest

from keras_cvae.data.skeleton import JOINTS, LIMBS, draw_skeleton, line_width, supersampling
from keras_cvae.data.synthetic.dataset import dance_in_depth, iter_frames
from keras_cvae.play.html import PAGE, served_page
from keras_cvae.play.packing import pack

DANCE = 3  # the seed of all that the small content shows


def skeleton(size):
    """The skeleton of a content whose frames have a size."""
    return {
        "joints": list(JOINTS),
        "limbs": [[start, end, list(colour)] for start, end, colour in LIMBS],
        "supersampling": supersampling(size),
        "line": line_width(size),
    }


def small_content(size=(32, 64), frames=40):
    """The content of a model that dances for so many frames, and begins with one of two."""
    joints, depth = dance_in_depth(DANCE, frames, size)
    images = [image for image, _ in iter_frames(DANCE, frames, size)]
    poses = np.stack(
        [draw_skeleton(*each) for each in zip(joints, [size] * frames, depth, strict=True)]
    )
    starts = [
        {"name": f"frame {t + 1}", "image": pack(images[t]), "joints": pack(joints[t])}
        | {"depth": pack(depth[t])}
        for t in (0, frames // 2)
    ]
    dance = {"joints": pack(joints), "depth": pack(depth)}
    return {
        "version": 1,
        "name": "a <model>",
        "frame_size": list(size),
        "latent_shape": [2, 4, 3],
        "prior": "standard",
        "temperature": 0.0,
        "fps": 24,
        "latent": "z carries nothing.",
        "skeleton": skeleton(size),
        "starts": starts,
        "choreography": dance | {"name": "a dance", "poses": pack(poses)},
        "dances": [],
    }


def ready(page):
    """Waits until the model of a page is ready."""
    page.wait_for("window.playground")
    page.evaluate("playground.ready.then(() => true)")
    return page


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
