"""What identifies data: the names and contents of videos, whatever folder they lie in."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_cvae.data.known_hashes import KnownHashes
from keras_cvae.data.videos import Video
from keras_cvae.progress import Progress

_AT_ONCE = 256  # images


def fingerprint(videos: Sequence[Video], label: str = "data") -> dict[str, dict]:
    """The fingerprint of each video of a split.

    Images in a cache file are read the first time only, see `known_hashes`.

    Args:
        videos: of one split, decoded.
        label: how the progress line calls them.

    Returns:
        dict name -> dict of `frames` and `poses`, each the number of images and a hash of their
        sizes and values.
    """
    total = sum(len(video.frames) + len(video.poses) for video in videos)
    known = KnownHashes()
    with Progress(total, f"checking {label}") as progress:
        found: dict[str, dict] = {video.name: {} for video in videos}
        for video in videos:
            for kind, images in (("frames", video.frames), ("poses", video.poses)):
                digest = known.get(images)
                if digest is None:
                    digest = _hash(images, progress)
                    known.add(images, digest)
                else:
                    progress.update(len(images))
                found[video.name][kind] = [len(images), digest]
    known.store()
    return found


def differences(before: Any, now: Mapping[str, Mapping[str, dict]]) -> list[str]:
    """What changed between two fingerprints of data, in words.

    Args:
        before: dict split -> fingerprint, as stored.
        now: the same of the data at hand.

    Returns:
        One text per difference; none if the data are the same.
    """
    found = []
    before = before if isinstance(before, dict) else {}
    for split in now:
        old, new = before.get(split), now.get(split, {})
        old = old if isinstance(old, dict) else {}
        found += [f"{name} of {split} is gone" for name in old if name not in new]
        found += [f"{name} of {split} is new" for name in new if name not in old]
        for name in (name for name in old if name in new):
            for kind, (count, digest) in new[name].items():
                stored = old[name].get(kind) if isinstance(old[name], dict) else None
                was, digest_was = (
                    stored if isinstance(stored, list) and len(stored) == 2 else (0, "")
                )
                if was != count:
                    found.append(f"{name} of {split} has {count} {kind} and had {was}")
                elif digest_was != digest:
                    found.append(f"{kind} of {name} of {split} have other contents")
    return found


def _hash(images: np.ndarray, progress: Progress) -> str:
    found = hashlib.sha256(repr((images.shape[1:], str(images.dtype))).encode())
    for start in range(0, len(images), _AT_ONCE):
        piece = np.ascontiguousarray(images[start : start + _AT_ONCE])
        found.update(piece.data)
        progress.update(len(piece))
    return found.hexdigest()[:32]
