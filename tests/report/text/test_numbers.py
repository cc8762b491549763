"""Numbers as they are printed."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from harness.report.text import numbers


@pytest.mark.parametrize(
    ("half_widths", "digits"), [([0.12], 0), ([0.023], 1), ([0.0023], 2), ([1e-5], 2), ([None], 1)]
)
def test_decimals_follow_the_interval(half_widths: list[float | None], digits: int) -> None:
    assert numbers.decimals(half_widths) == digits


def test_points_have_a_sign_only_where_it_says_something() -> None:
    assert numbers.points(0.1234, 1, sign=True) == "+12.3"
    assert numbers.points(-0.00001, 1, sign=True) == "0.0"
    assert numbers.points(-0.05, 1) == "-5.0"


@pytest.mark.parametrize("digits", [0, 1, 2])
def test_a_half_is_rounded_to_the_even_digit_however_its_mean_was_summed(digits: int) -> None:
    """Every half there is, and the numbers beside it that rounding errors make of it."""
    for half in range(1, 2 * 100 * 10**digits, 2):
        exact = float(Fraction(half, 2 * 100 * 10**digits))
        last = (half + 1) // 2 if half % 4 == 3 else half // 2
        even = f"{float(Fraction(last, 10**digits)):.{digits}f}"
        for value in (exact, *(math.nextafter(exact, end) for end in (0, 2))):
            assert numbers.points(value, digits) == even
            assert numbers.points(-value, digits) == (f"-{even}" if last else even)


def test_what_is_no_half_is_not_moved() -> None:
    assert numbers.points(0.66349, 1) == "66.3"
    assert numbers.points(0.6634999999, 1) == "66.3"
    assert numbers.points(0.66451, 1) == "66.5"
    assert numbers.points(0.6645000001, 1) == "66.5"


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, ""), (0.0004, "< 0.001"), (0.0123, "0.012"), (0.0502, "0.0502"), (0.05, "0.05"),
     (0.999, "1"), (0.5, "0.5")],
)  # fmt: skip
def test_a_p_never_reads_as_another_verdict(p: float | None, text: str) -> None:
    assert numbers.probability(p) == text


def test_no_difference_is_larger_than_a_hundred_points() -> None:
    assert numbers.detectable(2.4, 1) == "over 100"
    assert numbers.detectable(0.124, 1) == "12.4"
    assert numbers.detectable(None, 1) == ""
