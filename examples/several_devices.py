"""Trains with `model.fit` on all devices of a machine, or with all processes that torchrun started.

    KERAS_BACKEND=torch torchrun --nproc-per-node 2 examples/several_devices.py
    KERAS_BACKEND=jax python examples/several_devices.py

The one thing to add to a program is `distribution.start()`, before the model is made. The batch
size is that of all devices together. Only the first process prints and writes files.
"""

import keras

from keras_cvae import CVAE, Clips, distribution
from keras_cvae.callbacks import StopOnInterrupt, ValidationPSNR
from keras_cvae.data.synthetic import builtin_videos

here = distribution.start()
keras.utils.set_random_seed(0)
(train,) = builtin_videos("train", frame_size=(16, 32), frames=240)
(val,) = builtin_videos("val", frame_size=(16, 32), frames=60)

model = CVAE.from_preset("multiscale", seed=0)
model.compile(keras.optimizers.Adam(2e-3, global_clipnorm=1.0))
history = model.fit(
    Clips((train.frames, train.poses), clip_length=8, batch_size=4),
    epochs=2,
    callbacks=[
        ValidationPSNR((val.frames, val.poses)),
        keras.callbacks.ModelCheckpoint("dancer.keras", monitor="val_psnr", mode="max"),
        keras.callbacks.EarlyStopping(monitor="val_psnr", mode="max", patience=3),
        StopOnInterrupt(),
    ],
)
if here.first:
    print(f"{here}: validation PSNR {history.history['val_psnr'][-1]:.2f} dB, dancer.keras saved")
