import pytest

from keras_cvae.callbacks import TeacherForcing


def fit(model, clips, callback, spy, epochs, initial_epoch=0):
    model.fit(
        clips, epochs=epochs, initial_epoch=initial_epoch, verbose=0, callbacks=[callback, spy]
    )
    return {epoch: ratio for epoch, _, ratio in spy.batches}


def test_the_ratio_is_set_before_the_first_batch_of_each_epoch(model, clips, spy):
    callback = TeacherForcing(start=0.8, start_decay_epoch=2, decay_step=0.3)
    expected = [0.8, 0.8, 0.5, 0.2, 0.0, 0.0]  # never negative
    assert fit(model, clips, callback, spy, 6) == pytest.approx(dict(enumerate(expected)), abs=1e-6)
    assert [logs["tfr"] for logs in spy.logs.values()] == pytest.approx(expected)


def test_the_defaults_are_the_published_schedule(model, clips, spy):
    ratios = fit(model, clips, TeacherForcing(), spy, 21, initial_epoch=9)
    expected = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0]
    assert list(ratios.values()) == pytest.approx(expected, abs=1e-6)
    assert list(ratios) == list(range(9, 21))


@pytest.mark.parametrize(
    "wrong", [{"start": 1.1}, {"start": -0.1}, {"start_decay_epoch": -1}, {"decay_step": -0.1}]
)
def test_wrong_arguments_fail_when_it_is_made(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        TeacherForcing(**wrong)
