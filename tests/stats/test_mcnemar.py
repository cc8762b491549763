from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from harness.stats.mcnemar import mcnemar

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)
counts = st.integers(0, 60)


@QUICK
@given(counts, counts)
def test_p_is_that_of_statsmodels(b: int, c: int) -> None:
    theirs = statsmodels_mcnemar([[10, b], [c, 10]], exact=True).pvalue
    assert mcnemar(b, c, b + c + 20).p == pytest.approx(theirs, rel=1e-9)


@QUICK
@given(counts, counts, st.integers(1, 300))
def test_swapping_the_methods_mirrors_the_result(b: int, c: int, agree: int) -> None:
    there, back = mcnemar(b, c, b + c + agree), mcnemar(c, b, b + c + agree)
    assert (back.difference, back.low, back.high, back.p) == pytest.approx(
        (-there.difference, -there.high, -there.low, there.p)
    )
    assert there.low < there.difference < there.high


def test_hand_computed_interval() -> None:
    # One and seven discordant among 21: 2/23 - 8/23 and the variance of that.
    error = math.sqrt((10 / 23 - (6 / 23) ** 2) / 23)
    got = mcnemar(1, 7, 21)
    assert (got.low, got.high) == pytest.approx(
        (-6 / 23 - 1.959964 * error, -6 / 23 + 1.959964 * error)
    )
    assert got.p == pytest.approx(2 * (1 + 8) / 2**8)


def test_no_discordant_item_is_no_proof_of_equality() -> None:
    got = mcnemar(0, 0, 50)
    assert (got.difference, got.p) == (0, 1)
    assert got.low < 0 < got.high


def test_interval_stays_among_differences() -> None:
    assert mcnemar(4, 0, 4).high == 1
    assert mcnemar(0, 4, 4).low == -1


def test_interval_and_p_agree_nearly_always() -> None:
    cases = [mcnemar(b, c, 200) for b in range(41) for c in range(41)]
    agree = [(m.low <= 0 <= m.high) == (m.p > 0.05) for m in cases]
    assert sum(agree) / len(agree) > 0.97


@pytest.mark.parametrize(("b", "c", "n"), [(-1, 2, 9), (2, -1, 9), (5, 5, 9), (0, 0, 0)])
def test_impossible_counts_are_refused(b: int, c: int, n: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        mcnemar(b, c, n)
