"""Every door of the model refuses arrays that would train to a wrong model without a word."""

import keras
import numpy as np
import pytest
from checks import TINIEST

import keras_cvae
from keras_cvae import CVAE
from keras_cvae.errors import UserError
from keras_cvae.model.inputs import checked

DOORS = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
SHAPE = (2, 3, 8, 16, 3)


def clips(**changes):
    rng = np.random.default_rng(0)
    return {name: rng.random(SHAPE, "float32") for name in ("frames", "poses")} | changes


def broken(value, name="poses"):
    images = clips()[name]
    images[1, 2, 3, 4, 1] = value
    return clips(**{name: images})


@pytest.fixture(scope="module")
def model():
    model = CVAE("multiscale", **TINIEST)
    model.compile("adam")
    return model


WRONG = {
    "0 to 255": (clips(frames=clips()["frames"] * 255), r"frames: floats must lie in \[0, 1\]"),
    "-1 to 1": (clips(poses=clips()["poses"] * 2 - 1), r"poses: floats must lie in \[0, 1\]"),
    "NaN": (broken(np.nan), "poses: floats must lie"),
    "infinite": (broken(np.inf, "frames"), "frames: floats must lie"),
    "integers": (clips(frames=np.zeros(SHAPE, "int64")), "frames must be uint8 .* got int64"),
    "channels first": (clips(frames=np.zeros((2, 3, 3, 8, 16), "uint8")), "frames"),
    "no poses": ({"frames": clips()["frames"]}, "got a dict of 'frames'; expected a dict of"),
    "no dict": (clips()["frames"], r"got a ndarray \(2, 3, 8, 16, 3\); expected a dict of"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("door", DOORS)
def test_a_door_refuses(model, door, wrong):
    data, message = WRONG[wrong]
    before = [np.array(w) for w in model.get_weights()]
    with pytest.raises(UserError, match=message):
        getattr(model, door)(data)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("wrong", ["0 to 255", "NaN"])
def test_the_rollout_refuses(model, wrong):
    with pytest.raises(UserError, match="floats must lie"):
        model.rollout(**WRONG[wrong][0])


class Batches(keras.utils.PyDataset):
    """One batch, and a count of how often each was asked for."""

    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return (self.batches[index],)


def generator(*batches):
    yield from ((batch,) for batch in batches)


def loader(*batches):
    torch = pytest.importorskip("torch")
    items = [
        {name: images[i] for name, images in batch.items()} for batch in batches for i in range(2)
    ]
    collate = torch.utils.data.default_collate
    return torch.utils.data.DataLoader(items, batch_size=2, collate_fn=lambda x: (collate(x),))


def generator_of_dicts(*batches):
    yield from batches


def tf_data(*batches):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("on TensorFlow")
    import tensorflow as tf

    return tf.data.Dataset.from_generator(
        lambda: generator(*batches),
        output_signature=({name: tf.TensorSpec(SHAPE) for name in batches[0]},),
    )


KINDS = [Batches, generator, generator_of_dicts, loader, tf_data]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_first_batch_of_a_data_set_is_checked(model, kind):
    bad = WRONG["0 to 255"][0]
    with pytest.raises(UserError, match="floats must lie"):
        model.fit(kind(bad, clips()), verbose=0)
    with pytest.raises(UserError, match="floats must lie"):
        model.fit(clips(), validation_data=kind(bad), verbose=0)
    seen = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(kind(clips(), clips(), clips()), verbose=0, callbacks=[spy])
    assert seen == [0, 1, 2]  # none is lost by looking at it


def test_a_loader_of_dicts_is_taken_where_keras_takes_it(model, monkeypatch):
    torch = pytest.importorskip("torch")
    items = [{name: images[i] for name, images in clips().items()} for i in range(2)]
    data = torch.utils.data.DataLoader(items, batch_size=2)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert checked(data) is data
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match=r"On jax, .* collate_fn return \(\{'frames'"):
        checked(data)


@pytest.mark.parametrize("door", DOORS)
def test_a_list_of_batches_is_no_data_set(model, door):
    for several in ([clips(), clips()], (clips(), clips()["frames"]), []):
        with pytest.raises(UserError, match=f"got a {type(several).__name__} of {len(several)}, "):
            getattr(model, door)(several)


def test_validation_data_may_be_in_a_tuple(model):
    data = clips()
    for one in ((data,), (data, None), [data]):
        assert checked(one) is data
        history = model.fit(data, validation_data=one, verbose=0)
        assert "val_loss" in history.history


def test_kerass_export_names_ours(model):
    with pytest.raises(UserError, match=r"keras_cvae\.export\(model, path, format\)"):
        model.export("x.onnx", format="onnx")
    assert callable(keras_cvae.export)
