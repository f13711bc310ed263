"""What a person meets on the page: on a phone, in the dark, by keyboard, when something fails."""

import contextlib
import re
import time

import cv2
import numpy as np
import pytest
from page_server import page_server, ready, small_content
from play_checks import unpacked

# Every text with the contrast of its colour to what is behind it, by WCAG 2.
CONTRASTS = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = channels(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || element.closest("script, noscript") || !element.checkVisibility()) continue;
    const pair = [channels(getComputedStyle(element).color), behind(element)].map(luminance);
    found.push([text, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)]);
  }
  return found;
})()"""
# Of a copy: a canvas that is read often gets slow, of which the console warns.
PIXELS = """(() => {{
  const it = document.getElementById("{}");
  const copy = new OffscreenCanvas(it.width, it.height).getContext("2d");
  copy.drawImage(it, 0, 0);
  return [...copy.getImageData(0, 0, it.width, it.height).data];
}})()"""
WARM = """(() => {
  const slider = document.getElementById("temperature");
  slider.value = 1;
  slider.dispatchEvent(new Event("input"));
})()"""
WAIT = "new Promise((resolve) => setTimeout(resolve, 200))"
SIZES = """[...document.querySelectorAll("button, input, a, .handle")]
  .filter((each) => each.checkVisibility() && each.type !== "file")
  .map((each) => (each.closest("label") ?? each).getBoundingClientRect())
  .map((box) => [box.width, box.height])"""
CONTROLS = {"button", "slider", "checkbox", "link", "image", "textbox"}


@contextlib.contextmanager
def opened(browser, address, *args, **looks):
    page = ready(browser.open(address, *args, **looks))
    yield page
    page.close()


@pytest.fixture(scope="module")
def looked_at(browser, address):
    with opened(browser, address) as page:
        page.evaluate("document.getElementById('problem').hidden = false")
        page.evaluate("document.getElementById('problem-text').textContent = 'Something failed.'")
        yield page
        assert page.errors == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [(360, 740), (1200, 800)])
def test_it_fits_and_can_be_read(looked_at, size, dark):
    page = looked_at
    page.look(size, touch=size[0] < 700, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    texts = page.evaluate(CONTRASTS)
    assert len(texts) > 20 and "Something failed." in dict(texts)
    assert [each for each in texts if each[1] < 4.5] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (np.mean([int(n) for n in re.findall(r"\d+", ground)[:3]]) < 60) == dark
    assert np.min(page.evaluate(SIZES)) >= 24
    frame, puppet = page.box("#picture"), page.box("#puppet")
    assert frame[2] == pytest.approx(2 * frame[3], rel=0.01) and frame[2] >= 0.65 * size[0]
    below = puppet[1] >= frame[1] + frame[3]
    assert below if size[0] < 700 else puppet == frame


def test_every_control_has_a_name(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    controls = [
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in CONTROLS
    ]
    assert len(controls) >= 25
    assert [each for each in controls if not each[1]] == []
    names = [name for _, name in controls]
    # Where a screen reader leaves the arrow keys to the page.
    keys = [node for node in nodes if node["role"]["value"] == "application"]
    assert [node["name"]["value"][:6] for node in keys] == ["Joints"]
    assert len([name for name in names if re.fullmatch(r"[a-z ]+, x \d+ y \d+", name)]) == 11
    assert {"Temperature", "New z", "frame 1", "Record"} <= set(names)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert "a <model>" in page.evaluate("document.title")


def test_all_controls_are_reached_by_tab_and_the_focus_is_seen(page):
    page.evaluate("document.activeElement.blur()")
    looks = """(() => {
      window.looks = (it) => [it.closest("label.file") ?? it, it].map((element, i) => {
        const { outline, boxShadow } = getComputedStyle(element, i ? "::before" : null);
        return [outline, boxShadow];
      }).join();
      window.seen = [];
    })()"""
    page.evaluate(looks)
    for _ in range(40):
        page.key("Tab")
        page.evaluate("void seen.push([document.activeElement, looks(document.activeElement)])")
    page.evaluate("document.activeElement.blur()")
    found = page.evaluate("""seen.filter(([it]) => it !== document.body).map(([it, focused]) =>
      [it.id || it.dataset.joint || it.ariaLabel, focused !== looks(it)])""")
    names = {name for name, _ in found}
    assert {"left_wrist", "pelvis", "choreography", "temperature", "own", "record"} <= names
    assert [name for name, differs in found if not differs] == []


def test_nothing_moves_by_itself(browser, address):
    with opened(browser, address, reduced_motion=True) as page:
        durations = """[...document.querySelectorAll("*")].flatMap((it) =>
          [null, "::before"].map((part) => getComputedStyle(it, part).transitionDuration))"""
        assert set(page.evaluate(durations)) == {"0s"}
        before = page.evaluate("playground.joints()")
        page.wait_for("document.getElementById('speed').textContent.includes('waiting')")
        assert page.evaluate("playground.joints()") == before


def test_playing_dancing_and_the_way_back(page):
    first = page.evaluate("playground.joints()")
    for button in ("choreography", "dance"):
        text = page.evaluate(f"document.getElementById('{button}').textContent")
        page.click(f"#{button}")
        page.wait_for(f"document.getElementById('{button}').textContent === 'Pause'")
        page.wait_for(f"playground.joints()[0] !== {first[0]}")
        page.click(f"#{button}")
        page.wait_for(f"document.getElementById('{button}').textContent === '{text}'")
        paused = page.evaluate("playground.step().then(() => playground.joints())")
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 150))")
        assert page.evaluate("playground.joints()") == paused != first
        page.click("#back")
        page.wait_for(f"playground.joints()[0] === {first[0]}")
        assert page.evaluate("playground.joints()") == first


def test_z(page):
    def grey():
        return page.evaluate(PIXELS.format("see-latent"))

    flat = grey()
    assert set(flat) == {0, 128, 255}  # gaps and alpha, and the mean
    assert page.evaluate("document.getElementById('new-z').disabled"), "it would do nothing"
    page.evaluate(WARM)
    page.evaluate(WAIT)
    first = grey()
    page.evaluate(WAIT)
    assert first != flat and grey() != first, "z is the same for every frame"
    page.click("#new-z")
    page.evaluate(WAIT)
    kept = grey()
    page.evaluate(WAIT)
    assert grey() == kept != first
    assert page.evaluate("document.getElementById('temperature-value').textContent") == "1.00"


def test_what_the_browser_kept_before_a_reload(browser, content):
    seeds = []

    def dance(seed):
        seeds.append(seed)
        return content["choreography"]

    with page_server(content, dance=dance) as url, opened(browser, url) as page:
        page.click("#dance")
        page.wait_for("document.getElementById('dance').textContent === 'Pause'")
        unticked = """document.addEventListener("readystatechange", () => {
          for (const id of ["show-skeleton", "every-frame"])
            document.getElementById(id).checked = false;
        })"""
        page.call("Page.addScriptToEvaluateOnNewDocument", source=unticked)
        page.go(url)
        ready(page)
        assert page.evaluate("document.getElementById('stage').classList.contains('bare')")
        page.evaluate(WARM)
        page.evaluate(WAIT)
        kept = page.evaluate(PIXELS.format("see-latent"))
        page.click("#dance")
        page.wait_for("document.getElementById('dance').textContent === 'Pause'")
        assert page.evaluate(PIXELS.format("see-latent")) == kept
    assert len(seeds) == 2 and seeds[0] != seeds[1], "the same dance after a reload"


def test_a_picture_of_ones_own(browser, content, tmp_path):
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[:, :200], picture[:, 200:] = (30, 60, 90), (200, 10, 50)
    cv2.imwrite(str(tmp_path / "own.png"), picture[..., ::-1])
    (tmp_path / "text.png").write_text("no picture")
    problem = "document.getElementById('problem').checkVisibility()"
    with page_server(content, lambda previous, *_: previous) as url, opened(browser, url) as page:
        page.choose_files("#own", tmp_path / "text.png")
        page.wait_for(problem)
        text = page.evaluate("document.getElementById('problem').innerText")
        assert text.strip() == "text.png is no picture that this browser can read."
        joints = page.evaluate("playground.joints()")
        page.choose_files("#own", tmp_path / "own.png")
        page.wait_for(f"!{problem} && !document.querySelector('#starts [aria-pressed=true]')")
        shown = np.frombuffer(page.evaluate_bytes("playground.step()"), np.uint8)
        left, right = np.split(shown.reshape(32, 64, 3), 2, axis=1)
        np.testing.assert_allclose(left[:, :30], np.full((32, 30, 3), (30, 60, 90)), atol=1)
        np.testing.assert_allclose(right[:, 2:], np.full((32, 30, 3), (200, 10, 50)), atol=1)
        assert page.evaluate("playground.joints()") == joints


def test_a_lost_connection_is_said_and_made_again(browser, content):
    alive, content = [True], dict(content)

    def model(previous, pose, noise):
        if not alive[0]:
            raise ConnectionError  # the server closes the socket
        return pose

    with page_server(content, model) as url, opened(browser, url) as page:
        alive[0] = False
        page.evaluate("playground.setJoints(playground.joints())")
        page.wait_for("document.getElementById('problem').checkVisibility()")
        text = page.evaluate("document.getElementById('problem').innerText")
        assert "The connection to the server is lost." in text and "Connect again" in text
        alive[0] = True
        page.evaluate("for (const _ of [1, 2]) document.getElementById('reconnect').click()")
        page.wait_for("!document.getElementById('problem').checkVisibility()")
        page.wait_for("document.getElementById('speed').textContent.includes('waiting')")
        assert len([each for each in page.requests if each.startswith("ws:")]) == 2
        assert [
            each for each in page.requests if not re.match(r"(http|ws)://127\.0\.0\.1", each)
        ] == []
        alive[0] = False
        page.evaluate("playground.setJoints(playground.joints())")
        page.wait_for("document.getElementById('problem').checkVisibility()")
        alive[0], content["name"] = True, "another model"  # the server was started with it
        page.click("#reconnect")
        page.wait_for("document.title.includes('another model')")


def test_a_model_without_choreography_and_of_another_shape(browser):
    content = small_content((48, 36), frames=4) | {"choreography": None, "latent": None}
    with page_server(content) as url, opened(browser, url) as page:
        assert page.evaluate("document.getElementById('choreography').disabled")
        assert "no choreography" in page.evaluate("document.getElementById('status').textContent")
        _, _, width, height = page.box("#picture")
        assert width / height == pytest.approx(0.75, rel=0.01) and height <= 0.75 * 800
        assert not page.evaluate("document.getElementById('latent-note').checkVisibility()")
        assert page.errors == []


def test_the_choreography_is_played_pose_by_pose(browser):
    """As fast as the data; and the frames are those that predict_video gives."""
    content = small_content(frames=12) | {"fps": 10}
    received, times = [], []

    def model(previous, pose, noise):
        received.append((previous, pose))
        times.append(time.monotonic())
        return pose

    with page_server(content, model) as url, opened(browser, url) as page:
        page.wait_for("parseInt(document.getElementById('speed').textContent.slice(2)) > 5")
        page.click("#choreography")
        page.wait_for("document.getElementById('choreography').textContent === 'Pause'")
        page.wait_for("document.getElementById('choreography').textContent !== 'Pause'")
    poses, start = unpacked(content["choreography"]["poses"]), content["starts"][0]["image"]
    begun = [np.array_equal(pose, poses[1]) for _, pose in received].index(True)
    played = slice(begun, begun + len(poses) - 1)
    np.testing.assert_array_equal(received[begun][0], unpacked(start))
    np.testing.assert_array_equal([pose for _, pose in received[played]], poses[1:])
    before, during = np.diff(times[:begun]), np.diff(times[played])
    assert np.median(during) > 0.095 > np.median(before)
