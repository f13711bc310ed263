"""Trains on NumPy arrays with `model.fit`, saves, loads, predicts: the library without the scripts.

    KERAS_BACKEND=torch python examples/fit_arrays.py

The arrays here are ten seconds of the built-in dancer; put your own in their place: frames and
poses, uint8 (T, H, W, 3), RGB, `poses[t]` the pose image of `frames[t]`.
"""

import keras

from keras_cvae import CVAE, Clips
from keras_cvae.callbacks import KLAnnealing, TeacherForcing, ValidationPSNR
from keras_cvae.data.synthetic import builtin_videos
from keras_cvae.video import side_by_side, write_video

EPOCHS = 3

keras.utils.set_random_seed(0)
(train,) = builtin_videos("train", frame_size=(16, 32), frames=240)
(val,) = builtin_videos("val", frame_size=(16, 32), frames=60)

model = CVAE.from_preset("multiscale", seed=0)
model.compile(keras.optimizers.Adam(2e-3, global_clipnorm=1.0))
model.fit(
    Clips((train.frames, train.poses), clip_length=8, batch_size=4),
    epochs=EPOCHS,
    callbacks=[
        KLAnnealing("monotonic", epochs=EPOCHS, stop=0.001),
        TeacherForcing(start_decay_epoch=1, decay_step=0.5),
        ValidationPSNR((val.frames, val.poses)),
        keras.callbacks.ModelCheckpoint(
            "dancer.keras", monitor="val_psnr", mode="max", save_best_only=True
        ),
    ],
)

best = keras.models.load_model("dancer.keras")
video = best.predict_video(val.frames[0], val.poses)  # (60, 16, 32, 3) float32, frame 0 given
print(write_video("dancer.gif", side_by_side(val.frames, video, val.poses), overwrite=True))
