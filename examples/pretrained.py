"""Predicts the validation video of the built-in data with the pretrained model, shows and plots it.

    python examples/pretrained.py

Writes `builtin_dancer.gif`, the first 120 of the 630 frames as truth, prediction, pose and error,
and `builtin_dancer_psnr.png`, the PSNR of each predicted frame and of the copy-frame baselines. Put
a video of your own in the place of `video`: frames and poses, uint8 (T, H, W, 3).
"""

from keras_cvae.backend.choice import choose_backend

choose_backend()  # KERAS_BACKEND, or one that is installed

import keras_cvae  # noqa: E402
from keras_cvae.data.synthetic import builtin_videos  # noqa: E402
from keras_cvae.evaluation import copy_baselines  # noqa: E402
from keras_cvae.metrics import frame_psnr  # noqa: E402
from keras_cvae.plots import plot_psnr_per_frame  # noqa: E402
from keras_cvae.video import side_by_side, write_video  # noqa: E402

(video,) = builtin_videos("val")
model = keras_cvae.from_pretrained("builtin_dancer")
predicted = model.predict_video(video.frames[0], video.poses)  # (630, 32, 64, 3) in [0, 1]

psnr = frame_psnr(video.frames[1:], predicted[1:])
print(f"{len(psnr)} predicted frames, mean PSNR {psnr.mean():.2f} dB")
curves = {"prediction": psnr, **copy_baselines(video.frames)}
plot_psnr_per_frame(curves, "builtin_dancer_psnr.png")
shown = side_by_side(video.frames[:120], predicted[:120], video.poses[:120], zoom=4)
print(write_video("builtin_dancer.gif", shown))
