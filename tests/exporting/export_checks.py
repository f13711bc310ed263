"""What the tests of exports share."""

import numpy as np

from keras_cvae import CVAE

SIZE = (8, 16)
WIDTHS = {"frame_features": 8, "pose_features": 8, "latent_maps": 4, "decoder_features": 8}


def make_model(architecture="multiscale", **arguments):
    """A small model whose z matters, for frames of `SIZE`."""
    arguments = {"initialisation": "pytorch", "frame_size": SIZE, **WIDTHS, **arguments}
    return CVAE(architecture, temperature=0.5, seed=0, **arguments)


def images(number=5, size=SIZE):
    return np.random.default_rng(0).integers(0, 256, (number, *size, 3), dtype=np.uint8)


def assert_same_videos(predictor, model, tolerance=1e-5):
    """The predictor and the model predict the same, with noise and for two videos at once."""
    poses = images()
    expected = model.predict_video(poses[0], poses, temperature=1.0, seed=1)
    assert np.abs(expected - model.predict_video(poses[0], poses, 0.0)).max() > 1e-4  # z matters
    found = predictor.predict_video(poses[0], poses, temperature=1.0, seed=1)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    streamed = np.stack(list(predictor.stream(poses[0], iter(poses), temperature=1.0, seed=1)))
    np.testing.assert_allclose(streamed, expected[1:], atol=tolerance)
    two = np.stack([poses, poses[::-1]])
    np.testing.assert_allclose(
        predictor.predict_video(two[:, 0], two, temperature=1.0, seed=1),
        model.predict_video(two[:, 0], two, temperature=1.0, seed=1),
        atol=tolerance,
    )
