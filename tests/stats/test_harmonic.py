"""The difference of two rows in H: exact, against the delta method by hand and by simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from harness.core.outcomes import Outcomes
from harness.stats.harmonic import BaseNew, harmonic_contrast, harmonic_mean
from harness.stats.paired_t import paired_t

from .test_calibration import CEILING_01, CEILING_05


def drawn(seeds: int, share: float, seed: int, items: int = 60) -> Outcomes:
    rng = np.random.default_rng(seed)
    return Outcomes(rng.random((seeds, items)) < share, tuple(range(seeds)), np.arange(items))


A = [BaseNew(drawn(6, 0.8, 1), drawn(6, 0.6, 2, 40)), BaseNew(drawn(6, 0.7, 3), drawn(6, 0.5, 4))]
B = [BaseNew(drawn(6, 0.7, 5), drawn(6, 0.7, 6, 40)), BaseNew(drawn(6, 0.6, 7), drawn(6, 0.6, 8))]


def h_of(row: list[BaseNew]) -> float:
    base, new = (
        np.mean([getattr(s, side).correct_SN.mean() for s in row]) for side in ("base", "new")
    )
    return float(2 * base * new / (base + new))


def test_the_difference_is_that_of_the_means() -> None:
    found = harmonic_contrast(A, B, name_a="a", name_b="b")
    assert found.difference == pytest.approx(h_of(A) - h_of(B), abs=1e-12)
    assert (found.seeds, found.items) == (6, 220)
    assert (found.low or 0) < found.difference < (found.high or 0)
    assert harmonic_mean(0.0, 0.0) == 0.0


def test_deterministic_rows_have_the_variance_of_the_delta_method() -> None:
    """Items alone are random: the gradient applied to the covariances of single items."""
    rows = [[BaseNew(*(Outcomes(o.correct_SN[:1], (None,), o.groups_N) for o in (s.base, s.new)))
             for s in row[:1]] for row in (A, B)]  # fmt: skip
    found = harmonic_contrast(*rows, name_a="a", name_b="b")
    v = 0.0
    for side in ("base", "new"):
        x, y = (getattr(row[0], side).correct_SN[0].astype(float) for row in rows)
        slopes = []
        for row in rows:
            b, n = (float(getattr(row[0], s).correct_SN.mean()) for s in ("base", "new"))
            eps = 1e-6
            up = (b + eps, n) if side == "base" else (b, n + eps)
            down = (b - eps, n) if side == "base" else (b, n - eps)
            slopes.append((harmonic_mean(*up) - harmonic_mean(*down)) / (2 * eps))
        cov = np.cov(np.stack([x, y]), ddof=1) / len(x)
        g = np.array([slopes[0], -slopes[1]])
        v += float(g @ cov @ g)
    assert found.se == pytest.approx(v**0.5, rel=1e-6)
    assert found.test.startswith("delta method")


def test_where_base_and_new_are_the_same_it_is_the_mean_of_the_two() -> None:
    """Slopes of 1/2: H is then as the mean over two data sets."""
    one = harmonic_contrast([BaseNew(A[0].base, A[0].base)], [BaseNew(B[0].base, B[0].base)],
                            name_a="a", name_b="b")  # fmt: skip
    assert one.difference == pytest.approx(
        A[0].base.correct_SN.mean() - B[0].base.correct_SN.mean()
    )


def test_too_little_data() -> None:
    def on(row: list[BaseNew], seeds: int) -> list[BaseNew]:
        return [BaseNew(*(Outcomes(o.correct_SN[:seeds], o.seeds[:seeds], o.groups_N)
                          for o in (s.base, s.new))) for s in row]  # fmt: skip

    few = harmonic_contrast(on(A, 3), on(B, 3), name_a="a", name_b="b")
    assert (few.p, few.note, few.low is None) == (None, "descriptive", False)
    one = harmonic_contrast(on(A, 1), on(B, 1), name_a="a", name_b="b")
    assert (one.p, one.low) == (None, None)
    assert "one seed" in one.note
    apart = [BaseNew(*(replace(o, seeds=tuple(range(10, 16))) for o in (s.base, s.new))) for s in B]
    assert "no seed in common" in harmonic_contrast(A, apart, name_a="a", name_b="b").note
    lumps = [[BaseNew(*(replace(o, groups_N=0 * o.groups_N) for o in (s.base, s.new)))
              for s in row] for row in (A, B)]  # fmt: skip
    assert "one group" in harmonic_contrast(*lumps, name_a="a", name_b="b").note
    with pytest.raises(ValueError, match="same items"):
        harmonic_contrast(A[:1], B[1:], name_a="a", name_b="b")


def test_equal_rows_and_rows_without_a_right_answer() -> None:
    same = harmonic_contrast(A, A, name_a="a", name_b="b")
    assert same.difference == 0
    assert same.p == 1
    wrong = [BaseNew(*(replace(o, correct_SN=o.correct_SN & False) for o in (s.base, s.new)))
             for s in A]  # fmt: skip
    none = harmonic_contrast(wrong, wrong, name_a="a", name_b="b")
    assert (none.difference, none.p) == (0, 1)
    far = harmonic_contrast(A, wrong, name_a="a", name_b="b")
    assert far.p is not None
    assert far.p < 0.01


@dataclass(frozen=True)
class World:
    """Two rows that are equal in H, with other base and new accuracies; effects of seeds that base
    and new share, and of items on each row.
    """

    seed_m: float
    item_m: float
    swap: bool  # what one row gains in base the other gains in new

    def draw(self, rng: np.random.Generator, seeds: int) -> list[list[BaseNew]]:
        z = rng.standard_normal
        seed_KS = self.seed_m * z((2, seeds))
        items = {side: (z(80), self.item_m * z((2, 80))) for side in (0, 1)}
        rows = []
        for k in (0, 1):
            sides = []
            for side in (0, 1):
                easy = (side == k) if self.swap else (side == 0)
                level = 1.4 if easy else 0.4
                shared, own = items[side]
                latent = level + shared + own[k] + 0.7 * z((seeds, 80)) + seed_KS[k][:, None]
                sides.append(Outcomes(latent > 0, tuple(range(seeds)), np.arange(80)))
            rows.append([BaseNew(*sides)])
        return rows


WORLDS = {
    "items": World(0.05, 0.6, swap=False),
    "both": World(0.3, 0.3, swap=True),
    "seeds": World(0.4, 0.1, swap=False),
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
def test_false_alarms_stay_below_the_ceiling(world: World) -> None:
    rng, p, by_seed = np.random.default_rng(40), [], []
    for _ in range(600):
        a, b = world.draw(rng, 5)
        found = harmonic_contrast(a, b, name_a="a", name_b="b")
        p.append(found.p)
        h_S = [np.array([harmonic_mean(float(x), float(y)) for x, y in zip(
            r[0].base.correct_SN.mean(axis=1), r[0].new.correct_SN.mean(axis=1), strict=True)])
            for r in (a, b)]  # fmt: skip
        by_seed.append(paired_t(h_S[0] - h_S[1]).t.p)
    found_p = np.array(p, dtype=float)
    assert np.mean(found_p <= 0.05) <= CEILING_05
    assert np.mean(found_p <= 0.01) <= CEILING_01 + 0.01, "of 600 studies"
    if world.seed_m < 0.1:
        assert np.mean(np.array(by_seed) <= 0.05) > 2 * CEILING_05, "items taken as fixed"


def test_with_these_items_only_seeds_are_random() -> None:
    found = harmonic_contrast(A, B, name_a="a", name_b="b", estimand="E1")
    assert found.test == "delta method on H, paired t over seeds"
    assert found.difference == pytest.approx(h_of(A) - h_of(B))
    assert found.p is not None
    # The linear form of H, seed by seed.
    d_S = np.zeros(6)
    for sign, row in ((1, A), (-1, B)):
        means = [np.mean([getattr(s, side).correct_SN.mean(axis=1) for s in row], axis=0)
                 for side in ("base", "new")]  # fmt: skip
        b, n = (float(m.mean()) for m in means)
        d_S += sign * (2 * n**2 * means[0] + 2 * b**2 * means[1]) / (b + n) ** 2
    t = paired_t(d_S).t
    assert t is not None
    assert (found.low, found.high, found.p) == pytest.approx((t.low, t.high, t.p))
    still = [[BaseNew(*(Outcomes(o.correct_SN[:1], (None,), o.groups_N) for o in (s.base, s.new)))
              for s in row] for row in (A, B)]  # fmt: skip
    none = harmonic_contrast(*still, name_a="a", name_b="b", estimand="E1")
    assert (none.p, none.note) == (None, "under E1 nothing is random here")


def test_steep_slopes_without_spread_are_no_error() -> None:
    """Base is right throughout and new is almost wrong throughout: H follows new with a slope near
    2, and no item contradicts.
    """

    def row(new: bool) -> BaseNew:
        base = np.ones((5, 20), dtype=bool)
        of_new = np.zeros((5, 20), dtype=bool)
        of_new[:, 0] = new
        return BaseNew(Outcomes(base, tuple(range(5)), np.arange(20)),
                       Outcomes(of_new, tuple(range(5)), np.arange(20)))  # fmt: skip

    for a, b in ((True, True), (True, False), (False, False)):
        found = harmonic_contrast([row(a)], [row(b)], name_a="a", name_b="b")
        assert found.p is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.difference < found.high


def test_one_item_set_of_a_perfect_row_is_no_proof() -> None:
    full = BaseNew(*(Outcomes(np.ones((5, 20), dtype=bool), tuple(range(5)), np.arange(20))
                     for _ in range(2)))  # fmt: skip
    found = harmonic_contrast([full], [full], name_a="a", name_b="b")
    assert found.p == 1
    assert found.low is not None
    assert found.low < 0 < (found.high or 0), "no zero-width interval"
