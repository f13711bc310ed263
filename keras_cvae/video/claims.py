"""MP4 files that claim more than they hold, which FFmpeg would take memory for."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from keras_cvae.errors import UserError

MAX_EDITED = 2**24  # samples: an edit list repeats them, and each takes about 70 bytes
_FIRST = {
    *(b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"free", b"skip", b"wide", b"uuid"),
    *(b"pnot", b"udta", b"ediw", b"junk", b"pict", b"prfl"),
}
_PARENTS = {
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex"),
    *(b"udta", b"dinf", b"tref", b"sinf", b"schi", b"wave"),
}


def is_mp4(file: BinaryIO) -> bool:
    """Whether a file begins as MP4, MOV and their kin do.

    Args:
        file: open for reading; it is left at its begin.
    """
    file.seek(0)
    kind = file.read(8)[4:]
    file.seek(0)
    return kind in _FIRST


def check_claims(file: BinaryIO, name: str) -> None:
    """Checks that an MP4 file has bytes for the samples (frames, pieces of sound) that it claims.

    FFmpeg takes about 70 bytes for each sample when it opens the file. A header of two kilobytes
    can claim billions of them, because a size that all have in common is stored once.

    Args:
        file: an MP4 file, open for reading; it is left at its begin.
        name: how an error names the file.

    Raises:
        UserError: if it claims more, or its header is compressed, so that nobody can tell.
    """
    size = os.fstat(file.fileno()).st_size
    samples = edits = 0
    for kind, at, stop in _boxes(file, size):
        if kind == b"cmov":
            raise _refused(name, "its header is compressed")
        if kind not in (b"stsz", b"trun", b"elst"):
            continue
        file.seek(at)
        data = file.read(min(12, stop - at)).ljust(12, b"\0")
        first, second = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:], "big")
        claimed = 0
        if kind == b"elst":
            edits = max(edits, min(first, (stop - at) // 12))  # the bytes of an entry
        elif kind == b"trun":
            samples += first
            claimed = samples
        elif first:  # the bytes that each sample has
            claimed = first * second
        else:  # a list of the bytes, of four bytes each
            samples = max(samples, min(second, (stop - at) // 4))
        if claimed > size:
            raise _refused(name, "it is truncated, or claims more frames than it has bytes")
    if edits > 1 and edits * samples > MAX_EDITED:
        raise _refused(name, f"its edit list repeats up to {samples} frames {edits} times")
    file.seek(0)


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind, begin and end of the content of each box, in order, with those inside others."""
    ends = [size]
    at = 0
    while ends:
        if at + 8 > ends[-1]:
            at = ends.pop()
            continue
        file.seek(at)
        head = file.read(16)
        length, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if length == 1:
            length, begin = int.from_bytes(head[8:], "big"), at + 16
        stop = ends[-1] if length == 0 else min(at + length, ends[-1])
        if stop < begin:
            at = ends.pop()  # damaged: FFmpeg leaves the box around it too
        elif kind in _PARENTS:
            ends.append(stop)
            at = begin
        else:
            yield kind, begin, stop
            at = stop


def _refused(name: str, fault: str) -> UserError:
    return UserError(
        f"Cannot read video {name}: {fault}. If you trust it, repair it: "
        "ffmpeg -i IN -c copy OUT.mp4"
    )
