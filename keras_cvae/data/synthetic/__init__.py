"""The built-in data: videos of a drawn dancer, with the pose of every frame."""

from keras_cvae.data.synthetic.dataset import builtin_videos, iter_frames, render_video
from keras_cvae.data.synthetic.write import write_dataset

__all__ = ["builtin_videos", "iter_frames", "render_video", "write_dataset"]
