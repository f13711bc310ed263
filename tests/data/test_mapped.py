"""An array that is mapped from a file is found there again."""

import numpy as np

from keras_cvae.data.mapped import mapped_from


def test_a_part_is_found_in_the_file(tmp_path):
    whole = np.arange(60, dtype=np.uint8)
    (tmp_path / "a").write_bytes(b"head" + whole.tobytes())
    mapped = np.asarray(np.memmap(tmp_path / "a", np.uint8, "r", 4, (6, 10)))
    place = mapped_from(mapped[2:5])
    assert place.file == tmp_path / "a"
    assert (tmp_path / "a").read_bytes()[place.offset : place.offset + 30] == bytes(range(20, 50))


def test_other_arrays_are_in_no_file(tmp_path):
    (tmp_path / "a").write_bytes(bytes(60))
    writable = np.memmap(tmp_path / "a", np.uint8, "r+", 0, (6, 10))
    for array in (np.zeros(3), np.zeros((4, 4))[1:], writable):
        assert mapped_from(array) is None
