import numpy as np
import pytest
from checks import to_numpy

from keras_cvae.errors import UserError
from keras_cvae.images import (
    check_range,
    chosen_frame_size,
    scaled,
    tensor_to_unit,
    to_uint8,
    to_unit,
    white,
)

BYTES = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_are_divided_by_255(dtype):
    values = scaled(BYTES, dtype)
    assert values.dtype == dtype
    np.testing.assert_array_equal(values, BYTES.astype(dtype) / np.asarray(255, dtype))


def test_floats_are_taken_as_they_are():
    values = np.float64([[[-3.0, 0.5, 2.0]]])
    np.testing.assert_array_equal(scaled(values, "float64"), values)
    assert scaled(values).dtype == "float32"


def test_the_first_size_that_is_given_is_chosen():
    assert chosen_frame_size() == chosen_frame_size(None) == (32, 64)
    assert chosen_frame_size(None, np.array([16, 24]), (8, 8)) == (16, 24)
    for wrong in ((8,), (0, 8), (8, 8, 3)):
        with pytest.raises(UserError, match="frame_size must be .height, width., both positive"):
            chosen_frame_size(wrong)


def test_white():
    assert white(np.uint8) == 255.0 and white("float32") == 1.0


@pytest.mark.parametrize("convert", [to_unit, tensor_to_unit])
def test_numpy_and_tensors_are_converted_alike(convert):
    for images in (BYTES, BYTES.astype("float64") / 255, BYTES.astype("float16") / 255):
        values = to_numpy(convert(images)) if convert is tensor_to_unit else convert(images)
        assert values.dtype == "float32"
        np.testing.assert_allclose(values, BYTES / 255.0, atol=1e-3)


@pytest.mark.parametrize("convert", [check_range, to_unit, tensor_to_unit])
def test_other_types_of_number_are_refused(convert):
    with pytest.raises(UserError, match="what must be uint8.*got int64"):
        convert(BYTES.astype("int64"), "what")


@pytest.mark.parametrize(
    "values", [[0.0, 255.0], [-0.1, 0.5], [np.nan, 0.5], [0.2, np.inf], [0.0, 1.002]]
)
@pytest.mark.parametrize("convert", [check_range, to_unit])
def test_floats_outside_the_range_are_refused(convert, values):
    with pytest.raises(UserError, match=r"what: floats must lie in \[0, 1\]"):
        convert(np.float32(values), "what")


def test_rounding_is_no_error():
    assert to_unit(np.float32([-0.0009, 1.0009])).dtype == "float32"
    assert to_unit(np.zeros((0, 3), "float32")).shape == (0, 3)


def test_bytes_again():
    assert to_uint8(BYTES) is BYTES
    np.testing.assert_array_equal(to_uint8(BYTES / 255.0), BYTES)
    pixels = np.float32([[[-1.0, 2.0, np.nan]]])
    np.testing.assert_array_equal(to_uint8(pixels), [[[0, 255, 0]]])


@pytest.mark.parametrize("images", [np.zeros((4, 4), np.uint8), np.zeros((2, 2, 3), "int32")])
def test_what_is_no_image_is_refused(images):
    with pytest.raises(UserError, match="expected"):
        to_uint8(images)
