import subprocess
import sys

import pytest

import keras_cvae.data


def test_importing_loads_neither_keras_nor_opencv():
    code = (
        "import sys, keras_cvae.data; "
        "print([m for m in ('keras', 'cv2', 'torch', 'tensorflow', 'jax') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_every_public_name_loads():
    for name in keras_cvae.data.__all__:
        assert getattr(keras_cvae.data, name).__name__ == name
        assert name in dir(keras_cvae.data)
    with pytest.raises(AttributeError, match="no attribute 'Clip'"):
        keras_cvae.data.Clip  # noqa: B018
