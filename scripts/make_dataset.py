"""Makes a data folder: of your own videos, or of the built-in dancer.

    python scripts/make_dataset.py --video me.mp4 --out me
    python scripts/make_dataset.py --video a.mp4 b.mov --keypoints a_json/ b_json/ --out us
    python scripts/make_dataset.py --out dance --frame-size 64 128 --train-frames 6000 --seed 1
    python scripts/make_dataset.py --out ball --ball

Film one person as a whole, for 1 to 3 minutes, with a camera that stands still. Look at preview.png
in the folder, then train with `python scripts/train.py --data FOLDER`.
"""

import argparse
import sys
from pathlib import Path

from keras_cvae import cli
from keras_cvae.data.synthetic import write_dataset
from keras_cvae.data.synthetic.splits import MAX_VIDEOS
from keras_cvae.errors import UserError
from keras_cvae.images import DEFAULT_FRAME_SIZE

_BUILTIN = {
    "seed": (0, "other dances"),
    "train_frames": (2400, "frames of the training video"),
    "val_frames": (630, "frames of the validation video"),
    "test_frames": (630, "frames of each test video"),
    "test_sequences": (5, "number of test videos"),
}
_OF_VIDEOS = ("keypoints", "person", "fps", "start", "end", "limit", "pose_models", "anyway")


def parse(arguments: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument(
        "--frame-size",
        nargs="+",
        metavar="PIXELS",
        help="HEIGHT WIDTH of the images (built-in: 32 64), or auto: by the person's shape "
        "(default with --video)",
    )
    videos = parser.add_argument_group("own videos")
    cli.add_video_source(videos, several=True)
    videos.add_argument(
        "--anyway",
        action="store_true",
        help="go on although the person is small, the joints jitter, or the camera moves",
    )
    builtin = parser.add_argument_group("built-in dancer")
    for name, (default, what) in _BUILTIN.items():
        flag = f"--{name.replace('_', '-')}"
        builtin.add_argument(flag, type=int, metavar="N", help=f"{what} (default: {default})")
    builtin.add_argument(
        "--ball",
        action="store_true",
        help="with a bouncing ball that gets random kicks, which the pose does not determine",
    )
    return vars(parser.parse_args(arguments))


def _frame_size(words: list[str] | None) -> tuple[int, int] | None:
    if words is None or words == ["auto"]:
        return None
    if len(words) != 2 or not all(word.isascii() and word.isdecimal() for word in words):
        raise UserError(
            f"--frame-size must be HEIGHT WIDTH in pixels, or auto; got {' '.join(words)}."
        )
    return int(words[0]), int(words[1])


def _refuse(options: dict, names: list[str], why: str) -> None:
    for name in names:
        value = options[name]
        if value is not None and value is not False and (name, value) != ("start", 0.0):
            raise UserError(f"--{name.replace('_', '-')} {why}")


def _of_videos(options: dict, frame_size: tuple[int, int] | None) -> None:
    names = [*_BUILTIN, "ball"]
    _refuse(options, names, "is of the built-in dancer, and does not go with --video.")

    from keras_cvae.poses.make_dataset import make_dataset

    names = [name for name in _OF_VIDEOS if name != "keypoints"]
    info = make_dataset(
        options["out"],
        options["video"],
        options["keypoints"] or (),
        frame_size=frame_size,
        **{name: options[name] for name in names},
    )
    for each in info["videos"]:
        used = sum(end - first for first, end in each["segments"])
        print(
            f"{each['file']}: the person was found in {each['found']:.0%} of {each['frames']} "
            f"frames; {used} of them are used, in {len(each['segments'])} segment(s); the joints "
            f"jitter by {each['jitter']:.1%} of the body's height"
        )
    height, width = info["frame_size"]
    counts = ", ".join(f"{count} {split}" for split, count in info["frames"].items())
    print(f"{counts} frames of {height} x {width} pixels (height x width), {info['fps']:g} fps")
    print(f"look at {options['out']}/preview.png; then: scripts/train.py --data {options['out']}")


def _builtin(options: dict, frame_size: tuple[int, int] | None) -> None:
    _refuse(options, list(_OF_VIDEOS), "goes with --video FILE.")
    if options["frame_size"] == ["auto"]:
        raise UserError("--frame-size auto goes with --video FILE. Give HEIGHT WIDTH.")
    height, width = frame_size = frame_size or DEFAULT_FRAME_SIZE
    chosen = {name: default for name, (default, _) in _BUILTIN.items()}
    chosen |= {name: options[name] for name in _BUILTIN if options[name] is not None}
    # `write_dataset` would get a list of so many lengths.
    if not 1 <= chosen["test_sequences"] <= MAX_VIDEOS:
        raise UserError(
            f"--test-sequences must be from 1 to {MAX_VIDEOS}; got {chosen['test_sequences']}."
        )
    also = ", with a ball" if options["ball"] else ""
    print(
        f"Drawing {chosen['train_frames']} frames to train, {chosen['val_frames']} to validate, "
        f"{chosen['test_sequences']} x {chosen['test_frames']} to test; "
        f"{height} x {width} pixels (height x width), seed {chosen['seed']}{also}.\n"
        f"Output: {options['out']}"
    )
    frames = {
        "train": [chosen["train_frames"]],
        "val": [chosen["val_frames"]],
        "test": [chosen["test_frames"]] * chosen["test_sequences"],
    }
    write_dataset(options["out"], frame_size, chosen["seed"], frames, options["ball"])


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    with cli.reported_errors():
        cli.check_out(options["out"])
        frame_size = _frame_size(options["frame_size"])
        (_of_videos if options["video"] else _builtin)(options, frame_size)
    print(f"Done: {options['out']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
