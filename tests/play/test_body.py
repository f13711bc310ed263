"""The skeleton is moved: by inverse kinematics, mouse, finger and keyboard."""

import json

import numpy as np
import pytest
from page_server import page_server, ready, small_content
from play_checks import unpacked

from keras_cvae.data.skeleton import JOINTS
from keras_cvae.data.synthetic.dataset import dance_in_depth
from keras_cvae.play.packing import pack

INDEX = {name: i for i, name in enumerate(JOINTS)}
CHAINS = [
    [f"{side}_{joint}" for joint in joints]
    for side in ("left", "right")
    for joints in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
]
# Each pose is moved in steps to some places, as by a drag; all poses on the way are given back.
MOVE = """(async (names, poses, handle, targets) => {{
  const {{ Body }} = await import("play/body");
  return poses.map((pose) => {{
    const body = new Body(names);
    body.set(pose);
    body.hold(handle);
    return targets.map((target) => {{
      body.move(target);
      return [...body.at];
    }});
  }});
}})({})"""


@pytest.fixture(scope="module")
def poses():
    return dance_in_depth(5, 400, (32, 64))[0][::40]


def moved(page, poses, handle, targets):
    """(poses, targets, 19, 2)"""
    flat = poses.reshape(len(poses), -1).tolist()
    arguments = (list(JOINTS), flat, handle, targets)
    found = page.evaluate(MOVE.format(", ".join(map(json.dumps, arguments))))
    return np.array(found).reshape(len(poses), len(targets), 19, 2)


def bones(joints):
    """The lengths of arms and legs, (..., 8)."""
    pairs = [(chain[i], chain[i + 1]) for chain in CHAINS for i in (0, 1)]
    ends = [[INDEX[name] for name in pair] for pair in pairs]
    return np.stack(
        [np.linalg.norm(joints[..., a, :] - joints[..., b, :], axis=-1) for a, b in ends], -1
    )


def side(joints, chain):
    """On which side of the way from root to end the middle joint is."""
    root, middle, end = (joints[..., INDEX[name], :] for name in chain)
    (ax, ay), (bx, by) = np.moveaxis(end - root, -1, 0), np.moveaxis(middle - root, -1, 0)
    return ax * by - ay * bx


TARGETS = [[x, y] for x in (5, 22, 31, 45, 64) for y in (0, 9, 17, 32)]
HANDLES = ["head", "neck", "pelvis"] + [
    f"{side}_{joint}" for side in ("left", "right") for joint in ("elbow", "wrist", "knee", "ankle")
]


@pytest.mark.parametrize("handle", HANDLES)
def test_arms_and_legs_keep_their_lengths(page, poses, handle):
    got = moved(page, poses, handle, TARGETS)
    np.testing.assert_allclose(bones(got), bones(poses)[:, None].repeat(20, 1), atol=1e-3)
    assert np.abs(got - poses[:, None]).max((1, 2, 3)).min() > 0.5, "it does not move"


@pytest.mark.parametrize("chain", CHAINS)
def test_the_end_reaches_its_target_and_the_middle_keeps_its_side(page, poses, chain):
    got = moved(page, poses, chain[2], TARGETS)
    root, end = poses[:, None, INDEX[chain[0]]], got[:, :, INDEX[chain[2]]]
    lengths = bones(poses)[:, 2 * CHAINS.index(chain) :][:, :2]
    reach, wanted = lengths.sum(1)[:, None], np.linalg.norm(TARGETS - root, axis=-1)
    within = (wanted < reach) & (wanted > np.abs(np.diff(lengths)))
    assert within.any()
    miss = np.linalg.norm(end - TARGETS, axis=-1)
    assert miss[within].max() < 1e-3
    far = wanted > reach  # stretched towards it
    np.testing.assert_allclose(miss[far], (wanted - reach)[far], atol=1e-3)
    before, after = side(poses, chain)[:, None], side(got, chain)
    bent = np.broadcast_to(np.abs(before) > 0.05, after.shape)
    assert (after * np.sign(before))[bent].min() > -1e-6
    others = [i for i, name in enumerate(JOINTS) if name not in chain and "toe" not in name]
    assert (got[:, :, others] == poses[:, None, others]).all()


def test_the_feet_stay_when_the_hips_move(page, poses):
    got = moved(page, poses, "pelvis", TARGETS)
    feet = [i for i, name in enumerate(JOINTS) if "ankle" in name or "toe" in name]
    np.testing.assert_allclose(got[:, :, feet], poses[:, None, feet].repeat(20, 1), atol=1e-3)


def test_a_stretched_arm_bends_to_the_side_it_had(page, poses):
    """Each key is a drag of its own, which must not forget the bend of a straight arm."""
    chain = CHAINS[0]
    stretched = moved(page, poses, chain[2], [[64, 32]])[:, 0]
    near = [INDEX[chain[0]], INDEX[chain[1]]]
    assert np.abs(side(stretched, chain)).max() < 1e-6
    script = """(async (names, pose, out, back) => {{
      const {{ Body }} = await import("play/body");
      const body = new Body(names);
      body.set(pose);
      for (const target of [out, out, back]) {{
        body.hold("left_wrist");
        body.move(target);
      }}
      return [...body.at];
    }})({})"""
    for pose in poses:
        back = (pose[near].mean(0) + 0.1).tolist()
        arguments = (list(JOINTS), pose.ravel().tolist(), [64, 32], back)
        end = np.array(page.evaluate(script.format(", ".join(map(json.dumps, arguments)))))
        before, after = side(pose, chain), side(end.reshape(19, 2), chain)
        assert abs(before) < 0.05 or before * after >= -1e-6


def place(page, joint):
    joints = page.evaluate("playground.joints()")
    return np.array(joints).reshape(19, 2)[INDEX[joint]]


@pytest.mark.parametrize("touch", [False, True])
def test_a_wrist_is_dragged(browser, address, touch):
    page = ready(browser.open(address, (360, 740) if touch else (1200, 800), touch=touch))
    before, frame = place(page, "left_wrist"), page.evaluate_bytes("playground.step()")
    x, y = page.centre("[data-joint=left_wrist]")
    scale = page.box("#handles")[2] / 64
    # It is caught a little off its centre, and does not jump there.
    page.drag((x + 3, y - 3), [(x + 3, y - 9), (x + 3 + scale, y - 3 - 3 * scale)], touch)
    after = place(page, "left_wrist")
    np.testing.assert_allclose(after, before + [1, -3], atol=0.15)
    page.wait_for("document.getElementById('speed').textContent.includes('waiting')")
    now = page.evaluate_bytes("playground.step()")
    changed = np.abs(np.frombuffer(now, np.uint8).astype(int) - np.frombuffer(frame, np.uint8))
    rows, columns = np.nonzero(changed.reshape(32, 64, 3).max(-1) > 40)
    assert np.hypot(columns + 0.5 - after[0], rows + 0.5 - after[1]).min() < 2
    assert page.errors == []
    page.close()


def test_keys_move_a_joint(page):
    page.evaluate("document.querySelector('[data-joint=left_wrist]').focus()")
    before = place(page, "left_wrist")
    page.key("ArrowUp")
    np.testing.assert_allclose(place(page, "left_wrist"), before + [0, -0.25], atol=1e-6)
    page.key("ArrowUp", shift=True)
    np.testing.assert_allclose(place(page, "left_wrist"), before + [0, -1.25], atol=1e-6)
    label = "document.activeElement.getAttribute('aria-label')"
    x, y = np.floor(place(page, "left_wrist") + 0.5).astype(int)
    assert page.evaluate(label) == f"left wrist, x {x} y {y}"
    page.click("#back")
    page.wait_for(f"playground.joints()[{2 * INDEX['left_wrist'] + 1}] > {before[1] - 1e-6}")
    np.testing.assert_allclose(place(page, "left_wrist"), before)


def test_a_joint_that_is_not_seen_has_no_handle(page):
    page.evaluate(f"""playground.setJoints(playground.joints().map((value, i) =>
      i >> 1 === {INDEX["left_elbow"]} ? null : value))""")
    hidden = page.evaluate(
        "[...document.querySelectorAll('.handle')].filter((it) => it.hidden)"
        ".map((it) => it.dataset.joint)"
    )
    assert sorted(hidden) == ["left_elbow", "left_wrist"]
    page.click("#back")


def test_a_joint_that_only_another_frame_shows_is_dragged(browser):
    content = small_content(frames=4)
    joints = unpacked(content["starts"][0]["joints"]).copy()
    joints[INDEX["left_elbow"]] = np.nan
    content["starts"][0]["joints"] = pack(joints)
    with page_server(content) as url:
        page = ready(browser.open(url))
        wrist = "document.querySelector('[data-joint=left_wrist]').hidden"
        assert page.evaluate(wrist)
        page.click("#starts button:last-child")
        page.wait_for(f"!{wrist}")
        before, (x, y) = place(page, "left_wrist"), page.centre("[data-joint=left_wrist]")
        page.drag((x, y), [(x, y - 20)])
        assert place(page, "left_wrist")[1] < before[1]
        assert page.errors == []
        page.close()


def test_a_second_finger_changes_nothing(browser, address):
    page = ready(browser.open(address, (360, 740), touch=True))

    def touch(kind, *fingers):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in fingers]
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    before, scale = place(page, "left_wrist"), page.box("#handles")[2] / 64
    (x, y), other = page.centre("[data-joint=left_wrist]"), page.centre("[data-joint=right_ankle]")
    away = (other[0] + 40, other[1])
    touch("touchStart", (0, (x, y)))
    touch("touchStart", (0, (x, y)), (1, other))
    touch("touchMove", (0, (x, y)), (1, away))
    touch("touchEnd", (1, away))  # the second is lifted, and the first goes on
    touch("touchMove", (0, (x, y - 3 * scale)))
    touch("touchEnd", (0, (x, y - 3 * scale)))
    np.testing.assert_allclose(place(page, "left_wrist"), before - [0, 3], atol=0.15)
    assert page.evaluate("document.querySelector('.held')") is None
    page.close()


def test_what_goes_wrong_in_a_drag_is_said(browser, address):
    page = ready(browser.open(address))
    page.evaluate("""void (Element.prototype.setPointerCapture = () => {
      throw new Error("It cannot be held.");
    })""")
    page.click("[data-joint=left_wrist]")
    page.wait_for("document.getElementById('problem').checkVisibility()")
    assert page.evaluate("document.getElementById('problem').innerText") == "It cannot be held."
    page.close()
