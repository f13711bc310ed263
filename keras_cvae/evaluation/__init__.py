"""Long rollouts against the truth: PSNR, SSIM, copy-frame baselines, samples, what z carries."""

from keras_cvae.evaluation.rollouts import (
    Evaluation,
    copy_baselines,
    evaluate_videos,
    mean_frame,
    predict_videos,
)

__all__ = ["Evaluation", "copy_baselines", "evaluate_videos", "mean_frame", "predict_videos"]
