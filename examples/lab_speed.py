"""Times training steps of the published architecture, free-running: first step, then frames/s.

KERAS_BACKEND=torch python examples/lab_speed.py
"""

import time

import keras
import numpy as np

from keras_cvae import CVAE

CLIPS, FRAMES = 2, 16

images = np.random.default_rng(0).integers(0, 256, (CLIPS, FRAMES, 32, 64, 3), dtype=np.uint8)
model = CVAE.from_preset("lab", "published", seed=0)
model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
model.teacher_forcing_ratio.assign(0.0)
for step in range(4):
    started = time.perf_counter()
    model.train_on_batch({"frames": images, "poses": images})
    seconds = time.perf_counter() - started
    rate = CLIPS * (FRAMES - 1) / seconds
    print(f"step {step + 1}: {seconds:.1f} s, {rate:.1f} predicted frames/s", flush=True)
