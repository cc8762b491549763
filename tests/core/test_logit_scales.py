"""Logit scales that are given as a logarithm or a temperature, and factors that must pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.core.logit_scales import not_a_factor, not_a_stored_factor

#: Factors that somebody may mean: small ones, CLIP's, and those of a search in equal ratios.
FACTORS = (
    0.1, 0.5, 1, 1.0, 2, 2.5, 2.7, 3, 4, 4.5, 4.6, 5, 5.0, 10, 1 / 0.07, 20, 50, 100, 100.0, 117.33,
)  # fmt: skip


@pytest.mark.parametrize("value", [*FACTORS, *np.logspace(-2, 2, 13), *np.logspace(0, 3, 10)])
def test_a_factor_that_a_person_writes_passes(value: float) -> None:
    assert not_a_factor(float(value)) is None


@pytest.mark.parametrize("value", [*FACTORS, np.float32(4.5), np.float32(2.71), np.float16(4.5)])
def test_a_factor_in_a_file_passes(value: float) -> None:
    assert not_a_stored_factor(float(value)) is None


@pytest.mark.parametrize(
    ("value", "factor"),
    [
        (4.6052, "100"), (4.605, "100"), (4.61, "100"), (math.log(100), "100"),
        (float(np.float16(math.log(100))), "100"),
        (2.65, "14.2857"), (2.66, "14.2857"), (2.6593, "14.2857"), (math.log(1 / 0.07), "14.2857"),
    ],
)  # fmt: skip
def test_clips_own_logarithms_name_their_factor(value: float, factor: str) -> None:
    for look in (not_a_factor, not_a_stored_factor):
        problem = look(value)
        assert problem is not None
        assert "logarithm" in problem
        assert problem.endswith(f"write {factor}")


def test_a_trained_parameter_in_a_file_is_a_logarithm() -> None:
    """4.7678 is SigLIP's."""
    problem = not_a_stored_factor(float(np.float32(4.7678)))
    assert problem is not None
    assert "write its exponential, 117.7 (or 4.77 if that is the factor)" in problem
    assert not_a_factor(4.7678) is None


def test_temperatures_are_not_factors() -> None:
    for look in (not_a_factor, not_a_stored_factor):
        assert look(0.07) == "is a temperature, and its inverse is wanted: write 14.2857"
    assert not_a_factor(0.01) is None
    assert "write 100" in str(not_a_stored_factor(float(np.float32(0.01))))
