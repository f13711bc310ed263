"""The built-in data: videos of a drawn dancer, with the pose of every frame."""

from keras_cvae.data.synthetic.dataset import (
    ball_centres,
    ball_radius,
    builtin_videos,
    iter_frames,
    render_video,
)
from keras_cvae.data.synthetic.find_ball import find_ball
from keras_cvae.data.synthetic.write import write_dataset

__all__ = [
    "ball_centres",
    "ball_radius",
    "builtin_videos",
    "find_ball",
    "iter_frames",
    "render_video",
    "write_dataset",
]
