"""What the tests of a training's begin share: small data, and the whole state of a model."""

import keras
import numpy as np
from checks import to_numpy

from keras_cvae.data import Clips, Video
from keras_cvae.training.begin import new_model
from keras_cvae.training.data import RunData
from keras_cvae.training.resolve import resolve
from keras_cvae.training.timing import measure

SIZE = (16, 24)
# All that carries state from step to step.
GIVEN = {"ema": 0.9, "accumulate": 2, "optimizer": "adamw", "tfr": 0.5, "temperature": 0.5}
GIVEN |= {"clip_length": 3, "batch_size": 2, "epochs": 3, "seed": 4}


def some_video(name, length):
    rng = np.random.default_rng(length)
    return Video(name, *rng.integers(0, 256, (2, length, *SIZE, 3), dtype=np.uint8))


def some_data():
    videos = {name: [some_video(name, n)] for name, n in (("train", 30), ("val", 7), ("test", 5))}
    clips = Clips(videos["train"], clip_length=3, batch_size=2, seed=4)
    return RunData(clips, videos, [], {})


def state(model):
    variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return [np.array(to_numpy(each)) for each in [*variables, model.rng.state]]


def largest(left, right):
    assert len(left) == len(right) > 20
    return max(
        float(np.abs(a.astype("float64") - b).max(initial=0))
        for a, b in zip(left, right, strict=True)
    )


def trained(measured):
    """The state before and after a short training, and the costs."""
    config, data = resolve(GIVEN), some_data()
    keras.utils.set_random_seed(config.seed)
    model, costs = new_model(config, data), None
    model.teacher_forcing_ratio.assign(0.5)
    before = state(model)
    if measured:
        costs = measure(model, data, config)
    begun = state(model)
    assert data.clips.epoch == 0
    history = model.fit(data.clips, epochs=2, shuffle=False, verbose=0).history
    after = state(model)  # on JAX prediction may take the averages' memory
    (video,) = data.videos["val"]
    video = model.predict_video(video.frames[0], video.poses, seed=0)
    return before, begun, after, history, video, costs


def compare(backend=None):
    """Prints the largest differences between a training that was measured and one that was not."""
    _, _, plain, history, video, _ = trained(measured=False)
    before, begun, measured, again, same_video, costs = trained(measured=True)
    assert min(costs) >= 0 and costs.epoch > 0 and costs.results > costs.rollout > 0
    assert history == again
    np.testing.assert_array_equal(video, same_video)
    print(largest(before, begun), largest(plain, measured))
