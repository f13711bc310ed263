"""Videos as files (GIF, MP4, folders of PNGs) and as panels. Needs NumPy and OpenCV alone."""

from keras_cvae.images import to_uint8
from keras_cvae.video.panels import enlarge, error_map, in_a_row, side_by_side
from keras_cvae.video.write import check_output, write_video

__all__ = [
    "check_output",
    "enlarge",
    "error_map",
    "in_a_row",
    "side_by_side",
    "to_uint8",
    "write_video",
]
