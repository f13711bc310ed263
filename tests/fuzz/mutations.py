"""Seeded mutations of a good file: what disks, networks, editors and attackers make of it."""

import io
import random
import zipfile

# What people and programs write where something else is expected.
TOKENS = [
    *(b"NaN", b"Infinity", b"-1", b"0", b"1e999", b"99999999999999999999", b"null", b"true"),
    *(b'""', b"{}", b"[]", b"[[[[", b'"x"', b"\x00", b"\xff\xfe", b"\r\n", b",,,", b"../../x"),
]
NUMBERS = [b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x01"]


def mutated(data, seed):
    """A mutation of bytes, determined by the seed."""
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        data = rng.choice(_KINDS)(bytearray(data), rng)
    return bytes(data)


def mutated_member(data, seed):
    """A mutation of the contents of one member of a zip file, with a checksum that is right."""
    rng = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = rng.choice(sorted(members))
    if rng.random() < 0.1:
        del members[chosen]
    else:
        members[chosen] = mutated(members[chosen], seed)
    with zipfile.ZipFile(result := io.BytesIO(), "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return result.getvalue()


def _place(data, rng):
    return rng.randrange(len(data) + 1)


def _flip(data, rng):
    for _ in range(rng.choice([1, 1, 3, 30])):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _cut(data, rng):
    return data[: _place(data, rng)]


def _remove(data, rng):
    start = _place(data, rng)
    del data[start : start + rng.choice([1, 4, 100, 10_000])]
    return data


def _repeat(data, rng):
    start = _place(data, rng)
    piece = data[start : start + rng.choice([1, 4, 100, 10_000])]
    return data[:start] + piece * rng.choice([2, 3, 50]) + data[start:]


def _insert(data, rng):
    start = _place(data, rng)
    return (
        data[:start] + rng.choice([*TOKENS, rng.randbytes(rng.choice([1, 8, 500]))]) + data[start:]
    )


def _overwrite(data, rng):
    start, token = _place(data, rng), rng.choice([*TOKENS, *NUMBERS])
    data[start : start + len(token)] = token
    return data


def _replace_word(data, rng):
    """Replaces what lies between two separators of a text, such as a value of JSON or csv."""
    ends = [at for at, byte in enumerate(data[:10_000]) if byte in b',:{}[]\n" ']
    if len(ends) < 2:
        return _overwrite(data, rng)
    at = rng.randrange(len(ends) - 1)
    return data[: ends[at] + 1] + rng.choice(TOKENS) + data[ends[at + 1] :]


def _shuffle(data, rng):
    size = max(len(data) // 8, 1)
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    rng.shuffle(blocks)
    return bytearray(b"".join(blocks))


_KINDS = [_flip, _flip, _cut, _remove, _repeat, _insert, _overwrite, _replace_word, _replace_word]
_KINDS += [_shuffle]
