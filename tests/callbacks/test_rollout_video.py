import cv2
import numpy as np
import pytest

from keras_cvae.callbacks import RolloutVideo


def frames_of(path):
    ok, animation = cv2.imreadanimation(str(path))
    assert ok
    return np.stack(animation.frames)[..., 2::-1]


def test_a_film_every_so_many_epochs(model, clips, val_videos, tmp_path):
    folder = tmp_path / "new" / "films"
    film = RolloutVideo(val_videos[1], folder, every=2)
    model.fit(clips, epochs=5, verbose=0, callbacks=[film])
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-0002.gif", "epoch-0004.gif"]
    frames = frames_of(folder / "epoch-0004.gif")
    assert len(frames) == 8
    assert frames.shape[2] >= 4 * 16  # truth | prediction | pose | error


def test_max_frames_counts_predicted_ones(model, clips, val_videos, tmp_path):
    film = RolloutVideo(val_videos[1], tmp_path, every=1, max_frames=3)
    model.fit(clips, epochs=1, verbose=0, callbacks=[film])
    assert len(frames_of(tmp_path / "epoch-0001.gif")) == 4


def test_a_resumed_run_replaces_its_films(model, clips, val_videos, tmp_path):
    path = tmp_path / "epoch-0001.gif"
    path.write_bytes(b"half a film")
    model.fit(clips, epochs=1, verbose=0, callbacks=[RolloutVideo(val_videos, tmp_path, every=1)])
    assert len(frames_of(path)) == 5  # the first of the two videos


def test_one_file_of_the_newest_roll_out(model, clips, val_videos, tmp_path):
    film = RolloutVideo(val_videos, tmp_path, every=2, name="newest.gif")
    model.fit(clips, epochs=2, verbose=0, callbacks=[film])
    before = (tmp_path / "newest.gif").read_bytes()
    model.fit(clips, epochs=3, initial_epoch=2, verbose=0, callbacks=[film])  # the last, too
    assert [path.name for path in tmp_path.iterdir()] == ["newest.gif"]
    assert (tmp_path / "newest.gif").read_bytes() != before


@pytest.mark.parametrize("wrong", [{"every": 0}, {"max_frames": 0}])
def test_wrong_arguments_fail_when_it_is_made(val_videos, tmp_path, wrong):
    with pytest.raises(ValueError, match="at least 1"):
        RolloutVideo(val_videos, tmp_path, **wrong)
