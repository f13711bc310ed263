"""Image quality per frame, as it is reported: PSNR and SSIM."""

import numpy as np

from keras_cvae.images import SSIM_WINDOW, scaled

MAX_PSNR = 100.0  # dB, of a frame equal to the truth


def frame_psnr(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of each frame: 10 log10(1 / mse) on [0, 1].

    Reports give the mean of these values over the frames, never the PSNR of the mean MSE.

    Args:
        truth: (..., H, W, 3), uint8 or floats in [0, 1].
        prediction: the same, of a shape that broadcasts with that of `truth`.

    Returns:
        float64 array (...), in dB, at most `MAX_PSNR`.
    """
    error = scaled(truth, "float64") - scaled(prediction, "float64")
    mse = np.mean(np.square(error), axis=(-3, -2, -1))
    return -10 * np.log10(np.maximum(mse, 10 ** (-MAX_PSNR / 10)))


def frame_ssim(truth: np.ndarray, prediction: np.ndarray, chunk: int = 64) -> np.ndarray:
    """Structural similarity of each frame (Wang et al. 2004), by `keras.ops.image.ssim`.

    Args:
        truth: (T, H, W, 3), uint8 or floats in [0, 1].
        prediction: the same shape, uint8 or floats in [0, 1].
        chunk: frames computed at once.

    Returns:
        float64 array (T,); NaN where frames are smaller than the 11 x 11 window.
    """
    from keras import ops

    if min(truth.shape[1:3]) < SSIM_WINDOW:
        return np.full(len(truth), np.nan)
    values = [
        ops.convert_to_numpy(
            ops.image.ssim(
                scaled(truth[i : i + chunk]),
                scaled(prediction[i : i + chunk]),
                max_val=1.0,
                data_format="channels_last",
            )
        )
        for i in range(0, len(truth), chunk)
    ]
    return np.concatenate(values).astype("float64") if values else np.zeros(0)
