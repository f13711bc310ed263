import math

import pytest
from benchmarking.growth import exponent, linear_from, memory_verdict


def test_exponents():
    assert exponent([1, 2, 4], [3, 6, 12]) == pytest.approx(1)
    assert exponent([1, 2, 4], [3, 12, 48]) == pytest.approx(2)
    assert math.isnan(exponent([1], [3]))


def test_where_it_is_linear():
    assert linear_from([1, 2, 4, 8], [1.0, 1.1, 2.2, 4.4]) == 2
    assert linear_from([1, 2, 4, 8], [1.0, 2.0, 4.0, 8.0]) == 1
    assert linear_from([1, 2, 4, 8], [1.0, 2.0, 4.0, 20.0]) is None


def test_flat_memory():
    assert "is flat" in memory_verdict([(1, 300.0), (500, 500.0), (1000, 503.0)] * 1)
    grown = [(1, 300.0), (100, 500.0), (1000, 600.0)]
    assert "NOT flat: 500 MB at frame 100, 600 MB at frame 1,000 (+100.0 MB)" in (
        memory_verdict(grown)
    )
    assert "not known" in memory_verdict([(1, None), (2, None)])
