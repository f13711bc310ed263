"""Files and folders: written whole or not at all, never over what exists; read within bounds."""

from keras_cvae.files.arrays import array_names, read_npy, read_npz
from keras_cvae.files.cache import cache_folder
from keras_cvae.files.leftovers import remove_leftovers
from keras_cvae.files.reading import (
    DAMAGED_ZIP,
    check_archive,
    check_regular,
    parse_json,
    read_json,
    read_member,
)
from keras_cvae.files.writing import check_new, new_folder, write_json, written_whole

__all__ = [
    "DAMAGED_ZIP",
    "array_names",
    "cache_folder",
    "check_archive",
    "check_new",
    "check_regular",
    "new_folder",
    "parse_json",
    "read_json",
    "read_member",
    "read_npy",
    "read_npz",
    "remove_leftovers",
    "write_json",
    "written_whole",
]
