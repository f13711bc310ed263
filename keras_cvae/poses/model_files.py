"""The two files of the pose estimator: downloaded once, checked, kept in the user's cache."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from keras_cvae.errors import UserError
from keras_cvae.files import DAMAGED_ZIP, cache_folder, written_whole

# BlazePose of MediaPipe (Apache-2.0). Later wheels of it hold no models. The wheel is not
# installed, and each of its builds holds the same two files, so any system takes this one.
PACKAGE = "mediapipe==0.10.21"
_BUILD = (
    *("--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"),
    *("--platform", "manylinux_2_28_x86_64"),
)
DETECTOR, LANDMARKS = "pose_detection.tflite", "pose_landmark_full.tflite"
_MEMBERS = {
    DETECTOR: "mediapipe/modules/pose_detection/pose_detection.tflite",
    LANDMARKS: "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
}
SHA256 = {
    DETECTOR: "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    LANDMARKS: "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
}
_WAY_OUT = (
    f"Run `pip download --no-deps {' '.join(_BUILD)} {PACKAGE}` on a machine with a package index, "
    f"unpack {' and '.join(_MEMBERS.values())} from the wheel (a zip file) into a folder, and name "
    "that folder as the one of the pose models; or bring the keypoints of another tool"
)


def model_files(folder: str | os.PathLike | None = None) -> tuple[Path, Path]:
    """The files of the person detector and of the landmark model.

    At first use pip downloads the wheel that holds them (36 MB); they are kept in the user's cache
    folder. Files with another content than the known one are never used.

    Args:
        folder: holds both files; `None` is the cache, which is filled if need be.

    Returns:
        The paths of `pose_detection.tflite` and `pose_landmark_full.tflite`.

    Raises:
        UserError: if a file is missing or not the known one, or the download fails.
    """
    place = cache_folder() if folder is None else Path(folder)
    paths = place / DETECTOR, place / LANDMARKS
    if folder is None and not all(map(_is_known, paths)):
        _download(place)
    for path in paths:
        if not path.is_file():
            raise UserError(f"The pose model {path} does not exist. {_WAY_OUT}.")
        if not _is_known(path):
            raise UserError(f"The pose model {path} is damaged or another one. {_WAY_OUT}.")
    return paths


def _is_known(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 2**25:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[path.name]


def _download(folder: Path) -> None:
    print(f"downloading the pose models once (36 MB, {PACKAGE}) into {folder}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--only-binary", ":all:", *_BUILD, "--dest", temporary, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(temporary).glob("*.whl"))
        if done.returncode or not wheels:
            errors = [line for line in done.stderr.splitlines() if "ERROR" in line.upper()]
            why = (errors or done.stderr.splitlines() or ["pip gave no reason"])[-1]
            raise UserError(f"The pose models could not be downloaded: {why}. {_WAY_OUT}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(wheels[0]) as wheel:
                for name, member in _MEMBERS.items():
                    with wheel.open(member) as file:
                        data = file.read(2**25)  # a member may claim any size
                    with written_whole(folder / name) as partial:
                        partial.write_bytes(data)
        except DAMAGED_ZIP as error:
            raise UserError(f"The pose models could not be stored: {error}. {_WAY_OUT}.") from error
