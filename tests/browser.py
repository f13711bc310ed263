"""Debian's Chromium without a window, for tests: pages, JavaScript, mouse, finger, keys, pictures.

It speaks the DevTools protocol over one WebSocket, which a thread of its own keeps. Every call
waits for its answer, at most `timeout` seconds.
"""

import asyncio
import base64
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--remote-debugging-port=0",
)
# name -> (code, number) of keys that are no letters
KEYS = {
    "ArrowLeft": ("ArrowLeft", 37),
    "ArrowUp": ("ArrowUp", 38),
    "ArrowRight": ("ArrowRight", 39),
    "ArrowDown": ("ArrowDown", 40),
    "Enter": ("Enter", 13),
    "Escape": ("Escape", 27),
    "Tab": ("Tab", 9),
    " ": ("Space", 32),
}
SHIFT = 8  # the modifier of keys


class PageError(AssertionError):
    """JavaScript raised an exception, or DevTools refused a command."""


class Browser:
    """A running browser: `with Browser() as browser: page = browser.open(url)`.

    The test is skipped without Chromium, and fails if KERAS_CVAE_BROWSER says that it is there.

    Args:
        flags: further ones of the command line.
        timeout: seconds that a call may take.
    """

    def __init__(self, *flags, timeout=20):
        if CHROMIUM is None:
            # Where the browser was installed for the tests, its absence is a failure.
            assert not os.environ.get("KERAS_CVAE_BROWSER"), "Chromium was to be installed"
            pytest.skip("no Chromium is installed: apt install chromium")
        self._aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")
        self._flags, self.timeout = flags, timeout
        self._numbers, self._answers, self._pages = itertools.count(1), {}, {}

    def __enter__(self):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._process = subprocess.Popen(
            [CHROMIUM, *FLAGS, *self._flags, f"--user-data-dir={self._profile.name}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._thread.start()
        try:
            self._wait(self._connect())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):  # it is ended below
            self.call("Browser.close", timeout=3)
            self._process.wait(3)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # the session that was started above
        self._process.wait(5)
        self._wait(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        self._profile.cleanup()

    def open(self, url="about:blank", size=(1000, 800), **looks):
        """A new page in a context of its own: no cookie or cache is shared with another page.

        Args:
            url: where to go.
            size: (width, height) of the view in pixels.
            looks: see `Page.look`.
        """
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, session["sessionId"], context)
        page.look(size, **looks)
        if url != "about:blank":
            page.go(url)
        return page

    def call(self, method, session=None, timeout=None, **arguments):
        """Sends one command of the DevTools protocol and returns its result."""
        timeout = timeout or self.timeout
        message = {"id": next(self._numbers), "method": method, "params": arguments}
        if session:
            message["sessionId"] = session
        answer = self._wait(self._ask(message, timeout), timeout + 1)
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _wait(self, coroutine, timeout=None):
        running = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return running.result(timeout or self.timeout)

    async def _connect(self):
        self._client = self._socket = self._reader = None
        file = Path(self._profile.name, "DevToolsActivePort")
        while not (file.exists() and len(file.read_text().split()) == 2):
            assert self._process.poll() is None, f"{CHROMIUM} ended"
            await asyncio.sleep(0.02)
        port, path = file.read_text().split()
        self._client = self._aiohttp.ClientSession()
        address = f"ws://127.0.0.1:{port}{path}"
        self._socket = await self._client.ws_connect(address, max_msg_size=0)
        self._reader = asyncio.ensure_future(self._read())

    async def _disconnect(self):
        if self._reader:
            self._reader.cancel()
        if self._client:
            await self._client.close()

    async def _ask(self, message, timeout):
        future = self._answers[message["id"]] = self._loop.create_future()
        try:
            await self._socket.send_json(message)
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise TimeoutError(f"{message['method']} took over {timeout} seconds") from None
        finally:
            del self._answers[message["id"]]

    async def _read(self):
        async for message in self._socket:
            content = message.json()
            future = self._answers.get(content.get("id"))
            if future and not future.done():
                future.set_result(content)
            elif content.get("sessionId") in self._pages:
                self._pages[content["sessionId"]].note(content["method"], content["params"])


class Page:
    """One page of a `Browser`. `errors` holds what its console complained about."""

    def __init__(self, browser, session, context):
        self._browser, self._session, self._context = browser, session, context
        self.errors, self.requests = [], []
        browser._pages[session] = self
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method, timeout=None, **arguments):
        """One command of the DevTools protocol to this page."""
        return self._browser.call(method, self._session, timeout, **arguments)

    def note(self, method, event):
        """Keeps what an event tells: errors, and the addresses that were asked for."""
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning"):
            words = [str(each.get("value", each.get("description"))) for each in event["args"]]
            self.errors.append(" ".join(words))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            entry = event["entry"]
            self.errors.append(f"{entry['text']} {entry.get('url', '')}".strip())
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(event["url"])

    def look(self, size=(1000, 800), touch=False, dark=False, reduced_motion=False):
        """Sets the size of the view, and what the user's system asks for."""
        (width, height), scale = size, 2 if touch else 1
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if reduced_motion else "no-preference",
        }
        features = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=features)

    def go(self, url):
        """Opens an address and waits until it is loaded."""
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression, timeout=None):
        """The value of an expression; a promise is awaited.

        Raises:
            PageError: if it throws.
        """
        result = self.call(
            "Runtime.evaluate",
            timeout,
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def evaluate_bytes(self, expression, timeout=None):
        """As `evaluate`, of a typed array: its bytes."""
        text = self.evaluate(
            f"""(async () => {{
              const found = await ({expression});
              const bytes = new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
              let text = "";
              for (let i = 0; i < bytes.length; i += 8192)
                text += String.fromCharCode(...bytes.subarray(i, i + 8192));
              return btoa(text);
            }})()""",
            timeout,
        )
        return base64.b64decode(text)

    def wait_for(self, condition, timeout=None):
        """Waits until an expression is true."""
        end, last = time.monotonic() + (timeout or self._browser.timeout), None
        while time.monotonic() < end:
            try:
                # What is true may be large, and is not fetched.
                if self.evaluate(f"Boolean({condition})"):
                    return
            except PageError as error:  # perhaps the page is just being replaced
                last = error
            time.sleep(0.02)
        raise TimeoutError(f"{condition} is not true ({last}); console: {self.errors}")

    def box(self, selector):
        """(x, y, width, height) of an element in the view, which scrolls to it."""
        found = self.evaluate(
            f"""(() => {{
              const element = document.querySelector({selector!r});
              if (!element) return null;
              element.scrollIntoView({{block: "nearest", behavior: "instant"}});
              const box = element.getBoundingClientRect();
              return [box.x, box.y, box.width, box.height];
            }})()"""
        )
        assert found, f"no element {selector}"
        return found

    def centre(self, selector):
        """(x, y) of an element's centre in the view, which scrolls to it."""
        x, y, width, height = self.box(selector)
        return x + width / 2, y + height / 2

    def click(self, selector):
        """A click on an element's centre."""
        self.drag(self.centre(selector), [])

    def drag(self, start, path, touch=False, release=True):
        """Presses the mouse, or a finger, moves it along a path, and lets go.

        Args:
            start: (x, y) in the view.
            path: further points.
            touch: whether it is a finger.
            release: whether it lets go at the end.
        """
        if touch:
            self._touch("touchStart", [start])
        else:
            self._mouse("mouseMoved", start, 0)
            self._mouse("mousePressed", start, 1)
        for point in path:
            if touch:
                self._touch("touchMove", [point])
            else:
                self._mouse("mouseMoved", point, 1)
        if release and touch:
            self._touch("touchEnd", [])
        elif release:
            self._mouse("mouseReleased", path[-1] if path else start, 0)

    def _mouse(self, kind, point, buttons):
        button = "none" if kind == "mouseMoved" and not buttons else "left"
        place = {"x": point[0], "y": point[1]}
        more = {"button": button, "buttons": buttons, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, **place, **more)

    def _touch(self, kind, points):
        points = [{"x": x, "y": y} for x, y in points]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def key(self, name, shift=False):
        """Presses and releases a key: a name of `KEYS`, or a letter."""
        code, number = KEYS.get(name) or (f"Key{name.upper()}", ord(name.upper()))
        event = {"key": name, "code": code, "windowsVirtualKeyCode": number}
        event["modifiers"] = SHIFT if shift else 0
        text = {"Enter": "\r", " ": " "}.get(name, name if len(name) == 1 else None)
        if text:
            event["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def choose_files(self, selector, *paths):
        """Gives files to a file input, as if the user had chosen them."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        assert node, f"no element {selector}"
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(Path(p)) for p in paths])

    def downloads(self, folder):
        """From now on, what the page lets the user download lies in a folder."""
        where = {"downloadPath": str(folder), "browserContextId": self._context}
        self._browser.call("Browser.setDownloadBehavior", behavior="allow", **where)

    def screenshot(self, path, whole=False):
        """Writes a PNG of the view, or of the whole page."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(picture["data"]))

    def close(self):
        """Closes the page and its context."""
        del self._browser._pages[self._session]
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
