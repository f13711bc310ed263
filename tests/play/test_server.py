import asyncio
import contextlib
import gc
import itertools
import json
import socket
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from mutations import mutated
from play_checks import unpacked

aiohttp = pytest.importorskip("aiohttp", reason="the extra 'play' is not installed")
from aiohttp import WSMsgType  # noqa: E402

from keras_cvae.data.synthetic import builtin_videos  # noqa: E402
from keras_cvae.errors import UserError  # noqa: E402
from keras_cvae.inference import load_predictor  # noqa: E402
from keras_cvae.play.access import (  # noqa: E402
    address_of_page,
    host_fits,
    is_loopback,
    origin_fits,
)
from keras_cvae.play.content import Content  # noqa: E402
from keras_cvae.play.html import page_modules  # noqa: E402
from keras_cvae.play.server import PlayServer  # noqa: E402
from keras_cvae.play.sockets import MAX_SOCKETS  # noqa: E402
from keras_cvae.predictor.loops import prior_noise  # noqa: E402

PRETRAINED = Path(__file__).parents[2] / "saved_models" / "builtin_dancer.onnx"
SECONDS = 60


class Small:
    """Content of a model that does not exist."""

    name, frame_size, latent_shape = "small", (4, 6), (1, 2, 3)

    def values(self):
        return {"name": self.name}

    def dance(self, seed):
        return {"joints": seed, "depth": None}


class Large(Small):
    frame_size = (256, 256)


def mean_step(previous, pose, noise):
    return (previous / 2 + pose / 2).astype(np.float32)


@contextlib.asynccontextmanager
async def serving(content=Small, step=mean_step, step_for=None, host="127.0.0.1"):
    """A server, a client session and the address."""
    server = PlayServer(content(), step_for or (lambda shape, latent_shape: step))
    listener = socket.create_server((host, 0))
    port = listener.getsockname()[1]
    runner = await server.start(listener)
    client = aiohttp.ClientSession()
    try:
        yield server, client, address_of_page(host, port).rstrip("/")
    finally:
        await runner.cleanup()
        await client.close()


def run(function):
    """Runs a test that is a coroutine, within a time."""

    async def bounded():
        await asyncio.wait_for(function(), SECONDS)

    return lambda: asyncio.run(bounded())


def image(content, value):
    return np.full((*content.frame_size, 3), value, np.uint8).tobytes()


def start(content, value):
    return b"\x01" + image(content, value)


def step(content, value, noise=None):
    if noise is None:
        noise = np.zeros(content.latent_shape, "<f4")
    return b"\x02" + noise.tobytes() + image(content, value)


async def ask(page, message):
    """Sends a message, and gives the first pixel of the answer."""
    await page.send_bytes(message)
    answer = await page.receive()
    assert answer.type is WSMsgType.BINARY, answer
    assert answer.data[0] == message[0]
    return answer.data[1]


async def refusal(page):
    """The error of a socket that is then closed, and the code of the end."""
    answer = await page.receive()
    assert answer.type is WSMsgType.TEXT, answer
    assert (await page.receive()).type is WSMsgType.CLOSE
    (error,) = json.loads(answer.data).values()
    assert "\n" not in error
    return error, page.close_code


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


@run
async def test_it_serves_the_page_and_what_the_page_needs():
    async with serving() as (_, client, url):
        async with client.get(url + "/") as answer:
            text = await answer.text()
            assert answer.content_type == "text/html"
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "script-src 'self' 'sha256-" in policy
            assert "unsafe" not in policy and f"ws://{url.removeprefix('http://')}" in policy
            assert '"engine":"remote"' in text and "style.css" in text
        for module in page_modules():
            async with client.get(f"{url}/page/{module.removeprefix('play/')}.js") as answer:
                assert (answer.status, answer.content_type) == (200, "text/javascript")
        async with client.get(url + "/content.json") as answer:
            assert await answer.json() == {"name": "small"}
        async with client.get(url + "/dance.json?seed=7") as answer:
            assert await answer.json() == {"joints": 7, "depth": None}


@run
async def test_every_answer_has_the_headers():
    async with serving() as (_, client, url):
        for path in ("/", "/content.json", "/page/noise.js", "/absent", "/dance.json"):
            async with client.get(url + path) as answer:
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert answer.headers["Cache-Control"] == "no-store"
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "Access-Control-Allow-Origin" not in answer.headers


@run
async def test_nothing_else_is_served():
    places = ["/page/", "/page/index.html", "/page/../server.py", "/page/%2e%2e/server.py"]
    places += ["/page/..%2fserver.py", "/page/%2fetc%2fpasswd", "/page/noise.js%00.css", "/etc"]
    places += ["/page/licence_onnxruntime_web.txt", "//page/noise.js", "/page/page/noise.js"]
    async with serving() as (_, client, url):
        from yarl import URL

        for place in places:
            async with client.get(URL(url + place, encoded=True)) as answer:
                assert answer.status == 404, place
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            for path in ("/", "/content.json", "/frames", "/page/noise.js"):
                async with client.request(method, url + path) as answer:
                    assert answer.status == 405, (method, path)
        async with client.head(url + "/content.json") as answer:
            assert answer.status == 200 and await answer.read() == b""


@run
async def test_a_seed_is_an_integer():
    async with serving() as (_, client, url):
        for query in (
            "",
            "?seed=",
            "?seed=-1",
            "?seed=x",
            "?seed=1.5",
            "?seed=٣",
            "?seed=" + "9" * 99,
        ):
            async with client.get(url + "/dance.json" + query) as answer:
                assert answer.status == 400 and "seed must be" in await answer.text()


@run
async def test_two_pages_have_a_state_each():
    async with (
        serving() as (server, client, url),
        client.ws_connect(url + "/frames") as one,
        client.ws_connect(url + "/frames") as two,
    ):
        assert await ask(one, start(Small, 0)) == 0
        assert await ask(two, start(Small, 200)) == 200
        assert await ask(one, step(Small, 100)) == 50
        assert await ask(two, step(Small, 100)) == 150
        assert await ask(one, step(Small, 100)) == 75
        assert await ask(two, start(Small, 10)) == 10
        assert await ask(one, step(Small, 75)) == 75
        assert len(server.sockets.sessions) == 2


@run
async def test_messages_are_answered_in_their_order():
    async with serving() as (_, client, url), client.ws_connect(url + "/frames") as page:
        for value in (0, 40, 80):
            await page.send_bytes(start(Small, value))
            await page.send_bytes(step(Small, value))
        answers = [(await page.receive()).data for _ in range(6)]
        assert [each[0] for each in answers] == [1, 2] * 3
        assert [each[1] for each in answers] == [0, 0, 40, 40, 80, 80]


@run
async def test_a_page_that_is_closed_frees_its_state():
    async with serving() as (server, client, url):
        for how in ("closed", "cut"):
            page = await client.ws_connect(url + "/frames")
            await ask(page, start(Small, 1))
            (session,) = map(weakref.ref, server.sockets.sessions)
            if how == "closed":
                await page.close()
            else:
                page.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            await until(lambda: not server.sockets.sessions)

            def freed(session=session):
                gc.collect()
                return session() is None

            await until(freed)
            await page.close()


@run
async def test_a_page_that_reads_nothing_waits_alone():
    stepped = []

    def counted(previous, pose, noise):
        stepped.append(None)
        return previous

    async with serving(Large, counted) as (_, client, url):
        slow = await client.ws_connect(url + "/frames")

        async def flood():
            await slow.send_bytes(start(Large, 0))
            for _ in range(400):
                await slow.send_bytes(step(Large, 0))

        flooding = asyncio.create_task(flood())
        before = -1
        while len(stepped) > before:  # until its answers fill what the system keeps for it
            before = len(stepped)
            await asyncio.sleep(0.5)
        assert 0 < before < 400 and not flooding.done()
        async with client.ws_connect(url + "/frames", max_msg_size=0) as page:
            began = time.monotonic()
            await ask(page, start(Large, 9))
            for _ in range(20):
                assert await ask(page, step(Large, 0)) == 9
            assert time.monotonic() - began < 5
        assert len(stepped) <= before + 21
        flooding.cancel()
        began = time.monotonic()
    assert time.monotonic() - began < 5  # the server stops all the same


@run
async def test_a_page_that_reads_nothing_is_gone_after_a_time():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_cvae.play.sockets._GONE", 1.0)
        async with serving(Large) as (server, client, url):
            slow = await client.ws_connect(url + "/frames")

            async def flood():
                await slow.send_bytes(start(Large, 0))
                while True:
                    await slow.send_bytes(step(Large, 0))

            with pytest.raises(ConnectionError):
                await flood()
            await until(lambda: not server.sockets.sessions)


@run
async def test_pages_take_turns():
    """While one page has many messages waiting, another one waits for a step or two."""
    order, going = [], threading.Event()

    def slowly(previous, pose, noise):
        going.wait(10)
        order.append(round(float(previous.mean()) * 255))
        return previous

    async with serving() as (server, client, url):
        server.sockets._step = slowly
        async with (
            client.ws_connect(url + "/frames") as many,
            client.ws_connect(url + "/frames") as few,
        ):
            await ask(many, start(Small, 10))
            await ask(few, start(Small, 20))
            for _ in range(10):
                await many.send_bytes(step(Small, 0))
            await few.send_bytes(step(Small, 0))
            await asyncio.sleep(0.2)
            going.set()
            await few.receive()
            assert order.index(20) <= 2


@run
async def test_the_number_of_pages_is_bounded():
    async with serving() as (server, client, url):
        pages = [await client.ws_connect(url + "/frames") for _ in range(MAX_SOCKETS)]
        error, code = await refusal(await client.ws_connect(url + "/frames"))
        assert f"{MAX_SOCKETS} pages are open" in error and code == 1013
        assert await ask(pages[0], start(Small, 3)) == 3
        await pages[5].close()
        await until(lambda: len(server.sockets.sessions) == MAX_SOCKETS - 1)
        async with client.ws_connect(url + "/frames") as page:
            assert await ask(page, start(Small, 4)) == 4


@run
async def test_wrong_messages_are_an_error_in_words_and_the_end():
    noise = np.full(Small.latent_shape, np.nan, "<f4")
    wrong = [b"", b"\x03", start(Small, 0)[:-1], step(Small, 0)[:-1], step(Small, 0)]
    async with serving() as (server, client, url):
        for message in (*wrong, step(Small, 0, noise)):
            page = await client.ws_connect(url + "/frames")
            await page.send_bytes(message)
            assert (await refusal(page))[1] == 1008
        page = await client.ws_connect(url + "/frames")
        await page.send_str("{}")
        assert await refusal(page) == ("A message must be bytes; got text.", 1008)
        await until(lambda: not server.sockets.sessions)


@run
async def test_sizes_are_bounded():
    async with serving() as (server, client, url):
        for extra in (1, 2**20):
            page = await client.ws_connect(url + "/frames")
            await ask(page, start(Small, 0))
            await page.send_bytes(step(Small, 0) + bytes(extra))
            answer = await page.receive()
            assert answer.type is WSMsgType.CLOSE and page.close_code == 1009
        await until(lambda: not server.sockets.sessions)


@run
async def test_a_fault_is_told():
    def broken(previous, pose, noise):
        raise RuntimeError("no such kernel")

    async with serving() as (server, client, url):
        server.sockets._step = broken
        page = await client.ws_connect(url + "/frames")
        await ask(page, start(Small, 0))
        await page.send_bytes(step(Small, 0))
        error, code = await refusal(page)
        assert "its terminal says why" in error and code == 1011
        await until(lambda: not server.sockets.sessions)


@run
async def test_a_model_without_finite_frames_is_not_served():
    with pytest.raises(UserError, match="predicted frame is not finite"):
        async with serving(step=lambda previous, pose, noise: previous * np.float32("nan")):
            pass


@run
async def test_mutated_messages_harm_nobody():
    """The socket gets what the fuzz tests write into files."""
    refused = 0
    async with serving() as (server, client, url):
        other = await client.ws_connect(url + "/frames")
        await ask(other, start(Small, 100))
        for seed in range(150):
            page = await client.ws_connect(url + "/frames")
            for message in (start(Small, 50), step(Small, 150)):
                await page.send_bytes(mutated(message, seed))
                answer = await page.receive()
                if answer.type is not WSMsgType.BINARY:
                    refused += 1
                    error = answer.type is WSMsgType.TEXT and json.loads(answer.data)["error"]
                    assert error or page.close_code == 1009
                    break
                assert len(answer.data) == 1 + 4 * 6 * 3
            await page.close()
        assert 50 < refused < 150
        assert await ask(other, step(Small, 100)) == 100
        await until(lambda: len(server.sockets.sessions) == 1)


def test_what_is_no_http_harms_nobody_and_fills_no_terminal(caplog):
    async def attack():
        async with serving() as (server, client, url):
            host, port = url.removeprefix("http://").split(":")
            good = (
                f"GET /frames HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ).encode()

            async def status(message, half=False):
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(message)
                if half:
                    writer.write_eof()
                try:
                    return (await asyncio.wait_for(reader.read(100), 1))[9:12]
                except TimeoutError:  # it waits for the rest
                    return b""
                finally:
                    writer.close()

            assert await status(good.replace(b"dGhl", b"dGh\xe9")) == b"400"
            messages = [mutated(good, seed) for seed in range(100)]
            answers = await asyncio.gather(*map(status, messages))
            answers += await asyncio.gather(*(status(each, half=True) for each in messages))
            assert set(answers) <= {b"", b"101", b"400", b"403", b"404", b"405"}, set(answers)
            assert len(set(answers)) > 3
            await until(lambda: not server.sockets.sessions)

    asyncio.run(asyncio.wait_for(attack(), SECONDS))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@run
async def test_other_names_and_origins_are_refused():
    async with serving() as (_, client, url):
        port = url.rpartition(":")[2]
        wrong = [
            f"evil.example:{port}",
            "127.0.0.1",
            f"127.0.0.1.evil.example:{port}",
            "localhost:1",
        ]
        for path in ("/", "/content.json", "/absent"):
            for host in wrong:
                async with client.get(url + path, headers={"Host": host}) as answer:
                    assert answer.status == 403 and url in await answer.text()
        for origin in (
            "http://evil.example",
            "null",
            f"https://127.0.0.1:{port}",
            "http://127.0.0.1:1",
        ):
            async with client.get(url + "/content.json", headers={"Origin": origin}) as answer:
                assert answer.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect(url + "/frames", headers={"Origin": origin})
        # A page of another site under its own name, which stands for 127.0.0.1.
        rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect(url + "/frames", headers=rebound)
        own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
        async with client.ws_connect(url + "/frames", headers=own) as page:
            assert await ask(page, start(Small, 1)) == 1


@run
async def test_other_sites_cannot_make_a_browser_ask():
    link = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    image = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    frame = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    async with serving() as (_, client, url):

        async def status(site, path, headers):
            headers = headers | {"Sec-Fetch-Site": site}
            async with client.get(url + path, headers=headers) as answer:
                return answer.status

        for site in ("cross-site", "same-site"):
            assert await status(site, "/", link) == 200
            for wrong in (image, frame):
                assert await status(site, "/", wrong) == 403
            for path in ("/content.json", "/dance.json?seed=1", "/page/noise.js", "/frames"):
                assert await status(site, path, link) == 403
                assert await status(site, path, image) == 403
        for site in ("same-origin", "none"):
            assert await status(site, "/dance.json?seed=1", image) == 200


@run
async def test_the_number_of_dances_that_wait_is_bounded():
    going = threading.Event()

    class Slow(Small):
        def dance(self, seed):
            going.wait(10)
            return {"joints": seed}

    async with serving(Slow) as (_, client, url):

        async def status(seed):
            async with client.get(f"{url}/dance.json?seed={seed}") as answer:
                return answer.status

        gone = [asyncio.create_task(status(seed)) for seed in range(3)]
        await asyncio.sleep(0.1)
        for each in gone:  # those who ask go away, and what they asked for still waits
            each.cancel()
        asked = [asyncio.create_task(status(seed)) for seed in range(20)]
        refused = [await first for first in itertools.islice(asyncio.as_completed(asked), 7)]
        assert refused == [503] * 7
        going.set()
        assert sorted(await asyncio.gather(*asked)) == [200] * 13 + [503] * 7
        assert await status(1) == 200


@run
async def test_another_address_of_this_machine_is_its_name():
    async with serving(host="127.0.0.2") as (_, client, url):
        assert "127.0.0.2" in url
        async with client.get(url + "/content.json", headers={"Origin": url}) as answer:
            assert answer.status == 200
        async with client.get(url, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403 and url in await answer.text()


@run
async def test_where_others_reach_it_any_name_is_right_but_no_other_origin():
    async with serving(host="0.0.0.0") as (_, client, url):
        async with client.get(url, headers={"Host": "studio.local:9"}) as answer:
            assert answer.status == 200
        for host in ("a b", "x;script-src *", "[::1", "x:999999", "@"):
            async with client.get(url, headers={"Host": host}) as answer:
                assert answer.status in (400, 403), host
        headers = {"Host": "studio.local:9", "Origin": "http://studio.local:8"}
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect(url + "/frames", headers=headers)


def test_names_and_origins():
    for host in ("127.0.0.1:80", "127.0.0.1", "LOCALHOST", "[::1]:80"):
        assert host_fits(host, "127.0.0.1", 80), host
    for host in (None, "", "127.0.0.1:8080", "::1", "localhost.", "localhost:80:80", "localhost:"):
        assert not host_fits(host, "127.0.0.1", 80), host
    assert host_fits("127.0.0.2", "127.0.0.2", 80) and not host_fits("127.0.0.2", "127.0.0.1", 80)
    assert host_fits("[::1]:8000", "::1", 8000)
    assert address_of_page("127.0.1.1", 8000) == "http://127.0.1.1:8000/"
    assert address_of_page("0.0.0.0", 80) == "http://127.0.0.1:80/"
    assert address_of_page("::", 1) == address_of_page("::1", 1) == "http://[::1]:1/"
    assert origin_fits(None, "localhost:8000")
    assert origin_fits("http://LocalHost:8000", "localhost:8000")
    assert not origin_fits("", "localhost:8000") and not origin_fits("null", "null")
    assert is_loopback("127.0.0.2") and is_loopback("::1")
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "fe80::1%eth0")))


async def _over_the_socket(path, temperature=0.0, count=61):
    """Frames 1, 2, ... as a page gets them, the first frame and the poses."""
    predictor = load_predictor(path)
    async with serving(lambda: Content(path, predictor), step_for=predictor.step_for) as (
        _,
        client,
        url,
    ):
        async with client.get(url + "/content.json") as answer:
            content = await answer.json()
        poses = unpacked(content["choreography"]["poses"])[:count]
        first = unpacked(content["starts"][0]["image"])
        noise = prior_noise(tuple(content["latent_shape"]), temperature, seed=0)
        frames = []
        async with client.ws_connect(url + "/frames") as page:
            await page.send_bytes(b"\x01" + first.tobytes())
            assert (await page.receive()).data[1:] == first.tobytes()
            for pose in poses[1:]:
                message = b"\x02" + next(noise).astype("<f4").tobytes() + pose.tobytes()
                await page.send_bytes(message)
                answer = await page.receive()
                frames.append(np.frombuffer(answer.data, np.uint8, offset=1).reshape(first.shape))
    expected = predictor.predict_video(first, poses, temperature, seed=0)[1:]
    return np.stack(frames), expected, first, poses


def test_the_choreography_is_what_predict_video_predicts():
    frames, expected, first, poses = asyncio.run(_over_the_socket(PRETRAINED))
    assert frames.shape == (60, 32, 64, 3)
    assert np.abs(frames / 255 - expected).max() <= 1 / 255
    (video,) = builtin_videos("val", frames=61)
    np.testing.assert_array_equal(first, video.frames[0])
    np.testing.assert_array_equal(poses, video.poses)


@pytest.mark.parametrize("format", ["keras", pytest.param("onnx", marks=pytest.mark.slow)])
def test_noise_goes_through_a_learned_prior(tmp_path, format):
    keras = pytest.importorskip("keras")
    if format == "onnx" and keras.backend.backend() != "torch":
        pytest.skip("of what torch writes")
    from checks import TINIEST

    from keras_cvae import CVAE
    from keras_cvae.exporting.exporter import export

    widths = {**TINIEST, "initialisation": "pytorch", "frame_size": (16, 24)}
    model = CVAE("multiscale", **widths, prior="learned", poses="builtin-ball")
    if format == "keras":
        model.save(tmp_path / "x.keras")
    else:
        export(model, tmp_path / "x.onnx", "onnx")
    frames, expected, first, poses = asyncio.run(
        _over_the_socket(tmp_path / f"x.{format}", temperature=1.0, count=12)
    )
    assert np.abs(frames / 255 - expected).max() <= 1 / 255
    calm = model.predict_video(first, poses, temperature=0.0)[1:]
    assert np.abs(calm - expected).max() > 2 / 255  # the noise counts


def test_a_model_without_the_record_is_refused():
    predictor = load_predictor(PRETRAINED)
    predictor.poses = None
    with pytest.raises(UserError, match="draw_skeleton"):
        Content(PRETRAINED, predictor)
