from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import anova_lm

from harness.stats.clusters import clustered_t
from harness.stats.spread import combined
from harness.stats.two_way import MeanSquares, TwoWay, mean_squares, two_way

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


def alone(n: int) -> IntArray:
    return np.arange(n)


def table(seed: int, seeds: int = 5, items: int = 40) -> FloatArray:
    """Differences in {-1, 0, 1} with seed and item effects."""
    rng = np.random.default_rng(seed)
    z_SN = (
        rng.normal(0.2, 0.4, (seeds, 1))
        + rng.normal(0, 0.8, (1, items))
        + rng.normal(0, 0.6, (seeds, items))
    )
    return np.clip(np.rint(z_SN), -1, 1)


def unequal(seed: int, groups: int = 15) -> IntArray:
    rng = np.random.default_rng(seed)
    return rng.permutation(np.repeat(np.arange(groups), rng.integers(1, 9, groups)))


def same(x: TwoWay, y: TwoWay) -> None:
    assert (x.t.mean, x.t.standard_error, x.t.df, x.t.p) == pytest.approx(
        (y.t.mean, y.t.standard_error, y.t.df, y.t.p), rel=1e-7, abs=1e-12
    )


@pytest.mark.parametrize("seed", range(4))
def test_mean_squares_are_those_of_statsmodels(seed: int) -> None:
    d_SN = table(seed, 4, 9)
    s, n = np.indices(d_SN.shape)
    frame = pd.DataFrame({"d": d_SN.ravel(), "seed": s.ravel(), "item": n.ravel()})
    theirs = anova_lm(smf.ols("d ~ C(seed) + C(item)", frame).fit())["mean_sq"]
    ours = mean_squares(d_SN)
    assert (ours.seeds, ours.groups, ours.residual) == pytest.approx(tuple(theirs), rel=1e-9)


def test_hand_computed() -> None:
    # Rows 0, 1, 2 of three items: row means 1/3, 2/3, 0; column means 2/3, 0, 1/3; mean 1/3.
    d_SN = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    a = 3 * (0 + 1 / 9 + 1 / 9) / 2
    b = 3 * (1 / 9 + 1 / 9 + 0) / 2
    total = 9 * (1 / 3) * (2 / 3)  # sum of squares of three ones among nine
    e = (total - 2 * a - 2 * b) / 4
    v = a + b - e
    error = math.sqrt(v / 9)
    df = v**2 / (a**2 / 2 + b**2 / 2 + e**2 / 4)
    got = two_way(d_SN, alone(3))
    assert got.t.mean == pytest.approx(1 / 3)
    assert got.t.standard_error == pytest.approx(error)
    assert got.t.df == pytest.approx(max(1, df))
    half = stats.t.isf(0.025, max(1, df)) * error
    assert (got.t.low, got.t.high) == pytest.approx((1 / 3 - half, 1 / 3 + half))
    assert got.t.p == pytest.approx(2 * stats.t.sf(1 / 3 / error, max(1, df)))
    assert got.share_seeds == pytest.approx(a / v)
    assert got.share_items == pytest.approx((b - e) / v)


@pytest.mark.parametrize("seed", range(3))
def test_groups_against_plain_loops(seed: int) -> None:
    groups_N = unequal(seed)
    n, ids = len(groups_N), sorted(set(groups_N.tolist()))
    d_SN = table(seed, 4, n)
    mean = sum(sum(row) for row in d_SN.tolist()) / (4 * n)
    t = [
        [
            len(ids) / n * sum(d - mean for d, g in zip(row, groups_N, strict=True) if g == k)
            for k in ids
        ]
        for row in d_SN.tolist()
    ]
    rows = [sum(r) / len(ids) for r in t]
    columns = [sum(c) / 4 for c in zip(*t, strict=True)]
    a = len(ids) * sum(x**2 for x in rows) / 3
    b = 4 * sum(x**2 for x in columns) / (len(ids) - 1)
    rest = sum((t[s][g] - rows[s] - columns[g]) ** 2 for s in range(4) for g in range(len(ids)))
    v = a + b - rest / (3 * (len(ids) - 1))
    assert v > 0
    got = two_way(d_SN, groups_N)
    assert got.t.mean == pytest.approx(mean)
    assert got.t.standard_error == pytest.approx(math.sqrt(v / (4 * len(ids))))


@QUICK
@given(st.integers(0, 10_000))
def test_swapping_the_methods_mirrors_the_result(seed: int) -> None:
    d_SN, groups_N = table(seed, 5, len(unequal(seed))), unequal(seed)
    there, back = two_way(d_SN, groups_N).t, two_way(-d_SN, groups_N).t
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))
    assert (back.p, back.df) == pytest.approx((there.p, there.df))


@QUICK
@given(st.integers(0, 10_000))
def test_order_and_names_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups_N = unequal(seed)
    d_SN = table(seed, 5, len(groups_N))
    s, n = rng.permutation(5), rng.permutation(len(groups_N))
    same(two_way(d_SN[s][:, n], groups_N[n] * 17 - 5), two_way(d_SN, groups_N))


@QUICK
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_copies_of_an_item_add_nothing(seed: int, copies: int) -> None:
    d_SN = table(seed)
    grouped = two_way(np.repeat(d_SN, copies, axis=1), np.repeat(alone(40), copies))
    same(grouped, two_way(d_SN, alone(40)))


def test_forgotten_groups_make_the_error_too_small() -> None:
    d_SN = table(1)
    blind = two_way(np.repeat(d_SN, 4, axis=1), alone(160)).t.standard_error
    assert blind < 0.9 * two_way(d_SN, alone(40)).t.standard_error


def test_group_sizes_are_no_variance() -> None:
    """A method that gains the same in every group has no variance between groups."""
    groups_N = np.repeat(np.arange(6), [2, 4, 6, 8, 20, 40])
    gain_N = np.concatenate([np.tile([1.0, 0.0], size // 2) for size in [2, 4, 6, 8, 20, 40]])
    got = two_way(np.tile(gain_N, (5, 1)), groups_N)
    assert got.t.mean == 0.5
    assert got.t.standard_error == pytest.approx(0, abs=1e-12)


def test_identical_seeds_leave_only_the_items() -> None:
    d_N = table(2)[0]
    got = two_way(np.tile(d_N, (5, 1)), alone(40))
    assert got.t.standard_error == pytest.approx(clustered_t(d_N, alone(40)).standard_error)
    assert got.t.df == pytest.approx(39)
    assert got.share_seeds == pytest.approx(0, abs=1e-12)
    assert got.share_items == pytest.approx(1)


def test_identical_items_leave_only_the_seeds() -> None:
    d_S = np.array([1.0, 0.0, 1.0, 1.0, -1.0])
    got = two_way(np.tile(d_S[:, None], (1, 30)), alone(30))
    assert got.t.p == pytest.approx(stats.ttest_1samp(d_S, 0).pvalue)
    assert got.t.df == pytest.approx(4)
    assert got.share_seeds == pytest.approx(1)


@pytest.mark.parametrize("dtype", [float, int, bool])
def test_no_difference_at_all(dtype: type) -> None:
    got = two_way(np.zeros((5, 8), dtype=dtype), alone(8))
    assert (got.t.mean, got.t.low, got.t.high, got.t.p) == (0, 0, 0, 1)
    assert got.share_seeds is None
    assert got.share_items is None


@pytest.mark.parametrize(
    ("a", "b", "e", "v", "df"),
    [
        (1.0, 1.0, 0.0, 2.0, 4 / (1 / 4 + 1 / 9)),
        (0.4, 0.3, 1.0, 0.4, 4),  # v would be negative: the larger, with its own df
        (0.3, 0.4, 1.0, 0.4, 9),
        (0.5, 0.5, 1.0, 0.5, 9),  # v would be zero; of equals the one with more df
        (0.0, 0.0, 1.0, 1.0, 36),  # a Latin square
        (0.0, 0.0, 0.0, 0.0, 36),
        (1.0, 0.1, 1.05, 0.05, 1.0),  # nearly nothing is left: at least one df
    ],
)
def test_variance_where_it_is_hard(a: float, b: float, e: float, v: float, df: float) -> None:
    got = combined(MeanSquares(a, b, e, 5, 10).spread())
    assert (got.variance, got.df) == pytest.approx((v / 50, df))


def test_a_latin_square_is_not_certain() -> None:
    got = two_way(np.eye(6), alone(6))
    assert got.t.standard_error > 0
    assert got.t.p > 0


@QUICK
@given(st.integers(2, 6), st.integers(2, 8), st.data())
def test_any_table_gives_numbers(seeds: int, items: int, data: st.DataObject) -> None:
    cell = st.integers(-1, 1)
    row = st.lists(cell, min_size=items, max_size=items)
    rows = data.draw(st.lists(row, min_size=seeds, max_size=seeds))
    groups = data.draw(st.lists(st.integers(0, 3), min_size=items, max_size=items))
    assume(len(set(groups)) > 1)
    got = two_way(np.array(rows), np.array(groups))
    assert 0 <= got.t.p <= 1
    assert got.t.low <= got.t.mean <= got.t.high
    assert got.t.df >= 1
    assert got.share_seeds is None or 0 <= got.share_seeds <= 1


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_too_small_a_table_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 x 2"):
        two_way(np.ones(shape), alone(shape[1]))


def test_wrong_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        two_way(np.ones((5, 4)), alone(3))
