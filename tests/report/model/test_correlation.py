"""Cosine similarities between class weights, and the correlation of two maps."""

from __future__ import annotations

import numpy as np
import pytest

from harness.report.model.correlation import cosines, pearson


def test_cosines_of_a_classifier() -> None:
    w_CD = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0], [0.0, 0.0]])
    half = 2**-0.5
    expected = [[1, 0, half], [0, 1, half], [half, half, 1]]
    np.testing.assert_allclose(cosines(w_CD, 3), expected)
    assert cosines(w_CD, 10)[3, 3] == 0


def test_orthogonal_rows_have_no_correlation_to_compare() -> None:
    rng = np.random.default_rng(0)
    other = cosines(rng.normal(size=(20, 64)), 20)
    q = np.linalg.qr(rng.normal(size=(64, 64)))[0].astype(np.float16)
    assert pearson(cosines(q, 20), other) is None
    assert pearson(other, other) == pytest.approx(1)


def test_two_classes_are_one_pair_and_have_no_correlation() -> None:
    two = cosines(np.array([[1.0, 0.0], [1.0, 1.0]]), 2)
    assert pearson(two, two) is None
