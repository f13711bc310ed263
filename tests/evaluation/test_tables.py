"""Tables of results, line by line."""

from keras_cvae.evaluation.tables import samples_table, windows_table

WINDOWS = {
    **{"count": 50, "horizon": 25, "samples": 20, "overlap": False},
    **{"psnr": 30.159, "psnr_ci": 0.246, "ssim": 0.96581, "ssim_ci": 0.0014},
    **{"mean_psnr": 29.5, "mean_psnr_ci": 0.25, "mean_ssim": 0.95, "mean_ssim_ci": 0.002},
    **{"best_psnr": 31.25, "best_psnr_ci": None, "best_ssim": None, "best_ssim_ci": None},
    **{"posterior_psnr": 33.0, "posterior_psnr_ci": 0.5, "gap": 2.841, "gap_ci": 0.31},
    **{"kl_nats": 1234.5, "kl_nats_ci": 12.0, "diversity": 2.3},
    **{"first_frame_psnr": 23.29, "previous_true_frame_psnr": 32.83},
}


def test_windows_line_by_line():
    assert windows_table(WINDOWS).splitlines() == [
        "                                    PSNR, dB              SSIM",
        "  temperature 0                 30.16 ± 0.25   0.9658 ± 0.0014",
        "  mean of 20 samples             29.5 ± 0.25      0.95 ± 0.002",
        "  best of 20 samples                   31.25                 -",
        "  posterior's z                     33 ± 0.5",
        "  first frame                          23.29",
        "  previous true frame                  32.83",
        "  posterior's z minus temperature 0: 2.84 ± 0.31 dB",
        "  KL(q || p): 1234 ± 12 nats per frame",
        "  ±: 95% confidence over 50 windows, which do not overlap",
        "  the samples are at temperature 1 and differ by 2.3 grey levels of 255 on average",
    ]


def test_the_ball_and_the_mean_frame_are_there_if_they_are_known():
    more = {"mean_frame_psnr": 21.84, "ball_error": 1.5, "ball_error_ci": 0.2, "ball_found": 0.875}
    more |= {"mean_ball_error": None, "mean_ball_error_ci": None, "mean_ball_found": None}
    lines = windows_table({**WINDOWS, **more, "overlap": True}).splitlines()
    assert "  mean training frame                  21.84" in lines
    assert "  ball, temperature 0: error 1.5 ± 0.2 pixels; found in 87.5% of the frames" in lines
    assert "  ball, 20 samples: error - pixels; found in - of the frames" in lines
    assert any(
        "over 50 windows, which overlap, so the intervals are too narrow" in x for x in lines
    )


def test_samples_line_by_line():
    sampled = {
        **{"samples": 3, "temperature": 1.0, "diversity": 2.0, "psnr_zero": 30.0},
        **{"psnr_mean": 29.0, "psnr_mean_ci": 0.5, "psnr_best": 29.5, "psnr_best_ci": None},
        **{"ssim_mean": 0.9, "ssim_mean_ci": 0.01, "ssim_best": 0.91, "ssim_best_ci": None},
        "ssim_zero": None,
    }
    assert samples_table(sampled).splitlines() == [
        "                                    PSNR, dB              SSIM",
        "  mean of 3 samples                 29 ± 0.5        0.9 ± 0.01",
        "  best of 3 samples                     29.5              0.91",
        "  temperature 0                           30                 -",
        "  at temperature 1; ±: 95% confidence; the samples differ by 2 grey levels of 255 "
        "on average",
    ]
