"""Python runs this when a process starts that has this folder on its path.

On a GPU PyTorch then computes the same numbers each time, see `checks.repeat_on_a_gpu`.
"""

import os

if os.environ.get("KERAS_CVAE_TESTS_REPEAT") and os.environ.get("KERAS_BACKEND") == "torch":
    import torch

    torch.backends.cudnn.deterministic = True
