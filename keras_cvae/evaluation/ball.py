"""The ball of the built-in data: its position error, and the share of frames that show it."""

import os
from collections.abc import Sequence

import numpy as np

from keras_cvae.data.joints import read_info
from keras_cvae.data.sources import BUILTIN_BALL, is_builtin
from keras_cvae.evaluation.sampling import Find, confidence


def ball_finder(data: str | os.PathLike) -> Find | None:
    """The function that finds the ball in the images of some data.

    Args:
        data: `"builtin"`, `"builtin-ball"`, or a folder; its `dataset.json` has `"ball": true` if
            the images show the ball.

    Returns:
        function (N, H, W, 3) -> (N, 2), x and y of the centre in pixels, NaN where it is not found;
        or `None` if the data have no ball.

    Raises:
        UserError: if the folder's `dataset.json` is damaged.
    """
    shown = data == BUILTIN_BALL if is_builtin(data) else read_info(data).get("ball") is True
    if not shown:
        return None
    from keras_cvae.data.synthetic.find_ball import find_ball

    return find_ball


def ball_errors(
    truths: Sequence[np.ndarray], predictions: Sequence[np.ndarray]
) -> tuple[dict, dict[str, np.ndarray]]:
    """The distance of the predicted ball from the true one, where both are found.

    A prediction without a ball has no error. So an error counts together with the share of frames
    in which the ball is found.

    Args:
        truths: list of (F, 2), the true centres of each window in pixels, NaN where not found.
        predictions: list of (N, F, 2), those of each window's samples.

    Returns:
        `(metrics, curves)`. The metrics are `ball_error`, pixels, the mean over the windows of the
        mean over a window's samples and frames; `ball_error_ci`, half its 95% confidence interval
        over the windows; `ball_found`, in [0, 1], the share of frames in which the ball is found,
        of those where it is in the truth. The curves are `ball_error` and `ball_found`, (F,) each,
        over windows and samples. NaN where nothing is found.

    Example:
        >>> metrics, curves = ball_errors([np.zeros((25, 2))], [np.ones((20, 25, 2))])
        >>> metrics["ball_error"], metrics["ball_found"]
        (1.4142135623730951, 1.0)
    """
    found = np.stack(predictions)  # (W, N, F, 2)
    truth = np.stack(truths)[:, None]
    errors = np.linalg.norm(found - truth, axis=-1)  # (W, N, F)
    shown = np.broadcast_to(np.isfinite(truth).all(axis=-1), errors.shape)
    both = np.isfinite(errors)
    errors = np.where(both, errors, 0.0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN
        by_window = errors.sum(axis=(1, 2)) / both.sum(axis=(1, 2))
        curves = {
            "ball_error": errors.sum(axis=(0, 1)) / both.sum(axis=(0, 1)),
            "ball_found": both.sum(axis=(0, 1)) / shown.sum(axis=(0, 1)),
        }
        share = float(both.sum() / shown.sum())
    by_window = by_window[np.isfinite(by_window)]
    metrics = {
        "ball_error": float(by_window.mean()) if len(by_window) else float("nan"),
        "ball_error_ci": confidence(by_window),
        "ball_found": share,
    }
    return metrics, curves
