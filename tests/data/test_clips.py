from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from keras_cvae.data.clips import Clips
from keras_cvae.data.videos import Video


def video(length, name="v", mark=0):
    """Every frame holds its number, the pose that number plus 100, both the mark of the video."""
    images = np.zeros((length, 2, 3, 3), np.uint8)
    images[..., 0] = np.arange(length)[:, None, None]
    images[..., 1] = mark
    poses = images.copy()
    poses[..., 0] += 100
    return Video(name, images, poses)


def test_batch_holds_consecutive_frames_and_their_poses():
    clips = Clips([video(60, mark=1), video(40, mark=2)], clip_length=8, batch_size=4)
    (batch,) = clips[0]
    frames, poses = batch["frames"], batch["poses"]
    assert frames.shape == poses.shape == (4, 8, 2, 3, 3)
    assert frames.dtype == poses.dtype == np.uint8
    first = frames[..., 0].astype(int)
    assert (np.diff(first, axis=1) == 1).all()
    np.testing.assert_array_equal(poses[..., 0], frames[..., 0] + 100)
    assert all(len(np.unique(marks)) == 1 for marks in frames[..., 1])


def test_a_pair_of_arrays_and_float_arrays_will_do():
    _, frames, poses = video(40)
    as_pair = Clips((frames, poses), batch_size=2)
    as_list = Clips([[frames / 255, poses / 255]], batch_size=2)
    assert as_list[0][0]["frames"].dtype == np.float32
    np.testing.assert_allclose(as_list[0][0]["poses"] * 255, as_pair[0][0]["poses"], atol=1e-4)


@pytest.mark.parametrize("stride", [1, 3, 8, 13])
def test_an_epoch_has_one_clip_per_stride_and_reaches_every_start(stride):
    lengths = [8, 31, 50]
    clips = Clips([video(n) for n in lengths], clip_length=8, batch_size=1, stride=stride)
    assert clips.num_frames == 89
    seen = np.zeros((3, 60), int)
    for epoch in range(600):
        starts = clips.starts(epoch)
        assert len(starts) == len(clips) == 89 // stride
        np.add.at(seen, tuple(starts.T), 1)
    for row, length in zip(seen, lengths, strict=True):
        places = length - 8 + 1
        assert (row[places:] == 0).all(), "a clip crosses the end of its video"
        expected = 600 * (89 // stride) * length / 89 / places
        assert (row[:places] > 0.5 * expected).all() and (row[:places] < 1.6 * expected).all()


def test_clips_of_a_video_are_spread_over_it():
    starts = np.sort(Clips(video(160), batch_size=1).starts(3)[:, 1])
    assert len(starts) == 10
    assert set(np.diff(starts)) <= {14, 15}  # 145 possible starts, 10 clips


def test_everything_derives_from_seed_and_epoch():
    def served(seed, epoch, unrelated=0):
        np.random.seed(unrelated)
        clips = Clips([video(80), video(50)], clip_length=4, batch_size=8, seed=seed)
        clips[0]  # plans epoch 0, which must not be served below
        clips.epoch = epoch
        return np.concatenate([clips[i][0]["frames"] for i in range(len(clips))])

    np.testing.assert_array_equal(served(1, 7), served(1, 7, unrelated=1))
    assert (served(1, 7) != served(1, 8)).any()
    assert (served(1, 7) != served(2, 7)).any()


def test_without_shuffle_clips_come_in_order():
    clips = Clips([video(80), video(50)], clip_length=4, batch_size=1, shuffle=False)
    starts = clips.starts(5).tolist()
    assert starts == sorted(starts)
    shuffled = Clips([video(80), video(50)], clip_length=4, batch_size=1).starts(5).tolist()
    assert shuffled != starts and sorted(shuffled) == starts


def test_the_incomplete_last_batch_is_dropped_and_indices_end():
    clips = Clips(video(100), clip_length=4, batch_size=8)
    assert len(clips) == 3  # 25 clips
    assert len(list(clips)) == 3
    np.testing.assert_array_equal(clips[-1][0]["frames"], clips[2][0]["frames"])
    with pytest.raises(IndexError):
        clips[3]


def test_partial_takes_the_first_frames_of_all():
    videos = [video(30, "a"), video(50, "b"), video(20, "c")]
    clips = Clips(videos, clip_length=4, batch_size=1, partial=0.6)
    assert [(v.name, len(v.frames), len(v.poses)) for v in clips.videos] == [
        ("a", 30, 30),
        ("b", 30, 30),
    ]
    assert clips.num_frames == 60 and len(clips) == 15


def test_a_short_video_is_reported_and_gives_no_clip():
    with pytest.warns(UserWarning, match=r"1 of 2 videos.*16 frames.*stub \(15 frames\)"):
        clips = Clips([video(15, "stub"), video(40, "whole")], batch_size=1)
    assert [v.name for v in clips.videos] == ["whole"]
    assert clips.num_frames == 40


def test_reading_from_threads_gives_the_same():
    clips = Clips(video(120), clip_length=4, batch_size=2)
    expected = [clips[i][0]["frames"] for i in range(len(clips))]
    clips.epoch = 1
    clips[0]
    clips.epoch = 0
    with ThreadPoolExecutor(8) as pool:
        for index, batch in enumerate(pool.map(clips.__getitem__, range(len(clips)))):
            np.testing.assert_array_equal(batch[0]["frames"], expected[index])


def test_half_of_the_clips_are_mirrored_frames_and_poses_alike():
    walk = video(400)
    for images in (walk.frames, walk.poses):
        images[..., 2] = np.arange(3)  # columns can be told apart

    def clips(mirror):
        return Clips([walk], clip_length=4, batch_size=4, seed=3, mirror=mirror)

    plain, mirrored = clips(False), clips(True)
    turned = []
    for index in range(len(plain)):
        (one,), (other,) = plain[index], mirrored[index]
        for clip in range(4):
            backwards = [np.array_equal(one[k][clip][:, :, ::-1], other[k][clip]) for k in one]
            same = [np.array_equal(one[k][clip], other[k][clip]) for k in one]
            assert backwards == [True, True] or same == [True, True]
            turned.append(backwards[0])
    assert 0.3 < np.mean(turned) < 0.7
    mirrored.epoch = 1
    again = clips(True)
    again.epoch = 1
    np.testing.assert_array_equal(mirrored[5][0]["frames"], again[5][0]["frames"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clip_length": 1}, "clip_length must be an integer of at least 2, got 1"),
        ({"clip_length": 16.0}, "clip_length.*16.0"),
        ({"batch_size": 0}, "batch_size.*at least 1, got 0"),
        ({"stride": 0}, "stride.*at least 1, got 0"),
        ({"seed": -1}, "seed.*at least 0, got -1"),
        ({"partial": 0}, r"partial.*\(0, 1\], got 0"),
        ({"partial": 1.1}, "partial.*1.1"),
        ({"partial": float("nan")}, "partial.*nan"),
        ({"partial": True}, "partial.*True"),
        ({"partial": "half"}, "partial.*'half'"),
        ({"partial": 0.001}, "partial=0.001 of 80 frames is less than one frame. Raise"),
        ({"batch_size": True}, "batch_size.*True"),
        ({"seed": False}, "seed.*False"),
        ({"batch_size": 6}, "80 frames give 5 clips.*stride=16.*one batch of 6.*Lower"),
        ({"clip_length": 81}, r"one clip of 81 frames: walk \(80 frames\)"),
        ({"partial": 0.1}, r"one clip of 16 frames: walk \(8 frames\).*raise partial"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Clips([video(80, "walk")], **{"batch_size": 2} | arguments)


def test_bad_videos():
    frames = video(40).frames
    with pytest.raises(ValueError, match="is empty"):
        Clips([])
    with pytest.raises(ValueError, match=r"item 0 is ndarray \(shape \(40, 2, 3, 3\)\)"):
        Clips([frames])
    with pytest.raises(ValueError, match="test_0 has 40 poses but only its first frame"):
        Clips([Video("test_0", frames[:1], frames)])
    with pytest.raises(ValueError, match="40 frames but 39 poses"):
        Clips((frames, frames[1:]))
    with pytest.raises(ValueError, match="same frame size and type: frames of video 0"):
        Clips([(frames, frames), (frames[:, :1], frames[:, :1])])
    with pytest.raises(ValueError, match="same frame size and type.*float32"):
        Clips([(frames, frames), (frames / 255, frames)])


class Recorder(Clips):
    def __getitem__(self, index):
        self.served.append((self.epoch, index))
        return super().__getitem__(index)


@keras.saving.register_keras_serializable("test_clips")
class Mean(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(keras.ops.cast(inputs["frames"], "float32"))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(y_pred)


class SetEpoch(keras.callbacks.Callback):
    def __init__(self, clips):
        super().__init__()
        self.clips = clips

    def on_epoch_begin(self, epoch, logs=None):
        self.clips.epoch = 10 + epoch


@pytest.mark.parametrize("set_epoch", [False, True])
def test_fit_sees_new_clips_in_every_epoch(set_epoch):
    clips = Recorder(video(48), clip_length=4, batch_size=4)
    clips.served = []
    model = Mean()
    model.compile("sgd", jit_compile=False)
    callbacks = [SetEpoch(clips)] if set_epoch else []
    model.fit(clips, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
    served = clips.served[-9:]  # Keras also looks at batches before epoch 0, to learn their shapes
    first = 10 if set_epoch else served[0][0]
    assert served == [(first + epoch, index) for epoch in range(3) for index in range(3)]
