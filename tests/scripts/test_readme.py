"""The commands of the README run as they are written there.

Those that take more than a minute are slow tests. The others run in this process on a small
finished run in the place of `runs/first`, and on small files in the place of the reader's.
"""

import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import cv2
import pytest
from bodies import dance
from checks import GOLDEN, python_path
from play_checks import needs_the_web_runtime
from script_checks import ROOT, SIZE, run_script

import keras_cvae
from keras_cvae.data import load_videos
from keras_cvae.data.synthetic import render_video, write_dataset
from keras_cvae.errors import UserError
from keras_cvae.poses.blazepose import BlazePose
from keras_cvae.poses.dancer import make_dancer, write_dancer

README = (ROOT / "README.md").read_text()
CLIP = ROOT.parent / "shared/data/clips/e_squats_portrait_5fps_h264.mp4"
TRAIN = re.compile(r"scripts/(train|compare|benchmark)\.py|^make |pip install|-m venv|source ")
NOT_RUN = re.compile(r"^make |pip install|-m venv|source |benchmark\.py")  # they set up, or measure


def commands():
    """Each command of the README's bash blocks, comments removed, in order."""
    found = []
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL):
        text = ""
        for line in block.splitlines():
            text += line + "\n"
            try:
                words = shlex.split(text, comments=True)
            except ValueError:  # a quotation goes on in the next line
                continue
            if words:
                found.append(text.strip() if "\n" in text.strip() else line.split(" #")[0].strip())
            text = ""
        assert not text, block
    return found


QUICK = [command for command in commands() if not TRAIN.search(command)]
SLOW = [c for c in commands() if TRAIN.search(c) and not NOT_RUN.search(c)]
EXPORT_ALL = "--format all"  # starts two more backends; tests/exporting has its check


@pytest.fixture(scope="module")
def workplace(run, tmp_path_factory):
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("scripts", "saved_models"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(run, folder / "runs/first")
    shutil.copytree(run, folder / "studies/first/runs/none-seed0")
    (video,) = load_videos("builtin", "val")
    (folder / "poses").mkdir()
    cv2.imwrite(str(folder / "frame.png"), video.frames[0][..., ::-1])
    for number, pose in enumerate(video.poses[:4]):
        cv2.imwrite(str(folder / f"poses/{number}.png"), pose[..., ::-1])
    lengths = {"train": 64, "val": 8, "test": [8]}
    for name in ("DATA", "juggle"):
        write_dataset(folder / name, (64, 64), frames=lengths)
    shutil.copy(GOLDEN / "lab_tiny.ckpt", folder / "epoch=69.ckpt")
    (folder / "runs/published").mkdir()
    model = keras_cvae.load_lab_checkpoint(folder / "epoch=69.ckpt", output="none")
    model.save(folder / "runs/published/best.keras")
    shutil.copytree(run, folder / "runs/me")
    frames, joints = render_video(5, 40, SIZE).frames, dance(40, SIZE)
    write_dancer(folder / "runs/me/dancer.npz", make_dancer([frames], joints, 24))
    if CLIP.exists():
        for name in ("me.mp4", "dancer.mp4"):
            shutil.copy(CLIP, folder / name)
    return folder


def needs_a_video(command):
    """Skips a command that finds a person in a video, where there is no video or no estimator."""
    if "--video" not in command:
        return
    if not CLIP.exists():
        pytest.skip("the real clips are not here")
    try:
        BlazePose()
    except UserError as error:
        pytest.skip(f"no pose models: {error}")


def test_the_readme_has_commands():
    assert len(QUICK) >= 9 and len(SLOW) >= 6
    scripts = {path.name for path in (ROOT / "scripts").glob("*.py")}
    named = set(re.findall(r"scripts/(\w+\.py)", README))
    assert named == scripts


def test_links_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("saved_models/*.md")]
    found = 0
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target:
                found += 1
                assert (page.parent / target).exists(), f"{page.name}: {target}"
    assert found > 40


@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=[pytest.mark.slow] if EXPORT_ALL in c else []) for c in QUICK],
)
def test_a_command_runs(workplace, monkeypatch, command):
    needs_a_video(command)
    if "--format page" in command:
        needs_the_web_runtime()
    monkeypatch.chdir(workplace)
    words = shlex.split(command, comments=True)
    assert words[0] == "python"
    name = words[1].removeprefix("scripts/").removesuffix(".py")
    arguments = [each for word in words[2:] for each in sorted(glob.glob(word)) or [word]]
    if name == "play":  # it serves until Ctrl-C
        monkeypatch.setattr("webbrowser.open", lambda url: os.kill(os.getpid(), signal.SIGINT))
        assert run_script(name, *arguments).code == 130
        return
    done = run_script(name, *arguments)
    assert done.code == 0, done.err


@pytest.mark.slow
@pytest.mark.parametrize("command", SLOW)
def test_a_long_command_runs(workplace, command):
    if " runs/first" in command and "--resume" not in command:
        shutil.rmtree(workplace / "runs/first", ignore_errors=True)
    shutil.rmtree(workplace / "runs/published", ignore_errors=True)
    if "--data me " in command:
        shutil.rmtree(workplace / "runs/me")
        if not (workplace / "me").exists():  # the test of make_dataset.py writes it, too
            write_dataset(workplace / "me", SIZE, frames={"train": 64, "val": 8, "test": [8]})
    environment = {**os.environ, "PYTHONPATH": python_path(ROOT)}
    command = command.replace("python ", f"{shlex.quote(sys.executable)} ", 1)
    done = subprocess.run(command, shell=True, cwd=workplace, env=environment, text=True)
    assert done.returncode == 0
