import numpy as np
import pytest

from keras_cvae.data import Video
from keras_cvae.errors import UserError
from keras_cvae.evaluation import copy_baselines, evaluate_videos, mean_frame, predict_videos
from keras_cvae.evaluation.rollouts import check_predictable
from keras_cvae.metrics import frame_psnr


class Copies:
    """Stands for a model: predicts the pose image, and notes what it is given."""

    def __init__(self):
        self.batches = []

    def predict_pieces(self, first_frames, poses, temperature, seed):
        self.batches.append((len(first_frames), poses.shape[1], temperature, seed))
        for t in range(1, poses.shape[1]):
            yield (poses[:, t : t + 1] / 255.0).astype("float32")


def video(name, frames, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, frames, 12, 16, 3), dtype=np.uint8)
    return Video(name, *images)


def test_videos_of_equal_length_go_through_together_and_keep_their_order():
    videos = [video("a", 5, 0), video("b", 3, 1), video("c", 5, 2)]
    model = Copies()
    predictions = predict_videos(model, videos, temperature=0.5, seed=7)
    assert sorted(model.batches) == [(1, 3, 0.5, 7), (2, 5, 0.5, 7)]
    for each, prediction in zip(videos, predictions, strict=True):
        assert prediction[0] == pytest.approx(each.frames[0] / 255.0)
        assert prediction[1:] == pytest.approx(each.poses[1:] / 255.0)


def test_max_frames_counts_predicted_frames():
    (prediction,) = predict_videos(Copies(), [video("a", 9, 0)], max_frames=4)
    assert len(prediction) == 5


def test_the_given_frame_does_not_count_and_frame_t_is_compared_with_frame_t():
    one = video("a", 6, 0)
    (result,) = evaluate_videos(Copies(), [one])
    assert result.psnr == pytest.approx(frame_psnr(one.frames[1:], one.poses[1:]))
    assert len(result.psnr) == len(result.ssim) == 5
    assert "mean_frame" not in result.baselines


def test_baselines_by_hand():
    frames = np.zeros((3, 2, 2, 3), np.uint8)
    frames[1], frames[2] = 51, 102  # 0.2 and 0.4
    curves = copy_baselines(frames, np.full((2, 2, 3), 0.3))

    def db(error):
        return -20 * np.log10(error)

    assert curves["first_frame"] == pytest.approx([db(0.2), db(0.4)])
    assert curves["mean_frame"] == pytest.approx([db(0.1), db(0.1)])
    assert curves["previous_true_frame"] == pytest.approx([db(0.2), db(0.2)])


def test_mean_frame_weighs_frames_and_not_videos():
    black = np.zeros((3, 2, 2, 3), np.uint8)
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    mean = mean_frame([Video("a", black, black), Video("b", white, white)])
    assert mean == pytest.approx(np.full((2, 2, 3), 0.25))


def test_a_video_of_one_frame_has_nothing_to_predict():
    blind = video("blind", 2, 1)._replace(frames=video("blind", 1, 1).frames)
    check_predictable([video("a", 2, 0), blind], "test")
    for single in (video("still", 1, 0), video("still", 1, 1)):
        with pytest.raises(UserError, match="test video still has a single frame.*at least 2"):
            check_predictable([video("a", 2, 0), single], "test")


def test_a_model_that_diverges_is_predicted_all_the_same():
    """Validation during a training goes on."""

    class Diverges:
        def predict_pieces(self, first_frames, poses, temperature, seed):
            for _ in range(1, poses.shape[1]):
                yield np.full(first_frames[:, None].shape, np.nan, "float32")

    (result,) = evaluate_videos(Diverges(), [video("a", 4, 0)])
    assert np.isnan(result.psnr).all() and len(result.psnr) == 3
