import numpy as np
import pytest
from checks import TINIEST, run_python

from keras_cvae import CVAE


def test_importing_the_package_imports_neither_keras_nor_a_backend():
    loaded = run_python(
        "import sys, keras_cvae, keras_cvae.data, keras_cvae.callbacks\n"
        "print(sorted({'keras', 'torch', 'tensorflow', 'jax', 'cv2'} & set(sys.modules)))",
    )
    assert loaded.strip() == "[]"


def test_video_needs_neither_keras_nor_matplotlib():
    loaded = run_python(
        "import sys, keras_cvae.video\nprint(sorted({'keras', 'matplotlib'} & set(sys.modules)))"
    )
    assert loaded.strip() == "[]"


def test_every_public_name_is_there():
    run_python(
        "import keras_cvae, keras_cvae.callbacks, keras_cvae.data\n"
        "for module in (keras_cvae, keras_cvae.callbacks, keras_cvae.data):\n"
        "    for name in module.__all__:\n"
        "        getattr(module, name)\n"
        "    assert set(module.__all__) <= set(dir(module))",
        backend="torch",
    )


def test_a_name_that_is_not_there_is_an_attribute_error():
    run_python(
        "import keras_cvae, keras_cvae.data, keras_cvae.callbacks\n"
        "for module in (keras_cvae, keras_cvae.data, keras_cvae.callbacks):\n"
        "    assert not hasattr(module, 'nonsense')"
    )


LOADERS = {
    "from keras_cvae import CVAE, then plain Keras": (
        "from keras_cvae import CVAE\nimport keras\nmodel = keras.models.load_model(path)"
    ),
    "keras first, then import keras_cvae": (
        "import keras\nimport keras_cvae\nmodel = keras.models.load_model(path)"
    ),
    "keras_cvae.load_model alone": "import keras_cvae\nmodel = keras_cvae.load_model(path)",
}


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(
            way,
            marks=[pytest.mark.slow]
            if way != "from keras_cvae import CVAE, then plain Keras"
            else [],
        )
        for way in LOADERS
    ],
)
def test_a_saved_model_loads_in_a_fresh_process(tmp_path, way):
    model = CVAE("lab", **TINIEST, seed=0)
    model.save(tmp_path / "model.keras")
    images = np.zeros((1, 3, 8, 12, 3), np.uint8)
    expected = model.predict_video(images[:, 0], images).sum()
    printed = run_python(
        f"import sys\npath = sys.argv[1]\n{LOADERS[way]}\nimport numpy as np\n"
        "images = np.zeros((1, 3, 8, 12, 3), np.uint8)\n"
        "print(repr(float(model.predict_video(images[:, 0], images).sum())))",
        tmp_path / "model.keras",
        backend="torch",
    )
    assert abs(float(printed.splitlines()[-1]) - expected) < 1e-3
