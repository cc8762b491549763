"""Many pairs at once are the pairs one by one."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
import pytest

from harness.core.outcomes import Contrast, Outcomes
from harness.stats import all_pairs
from harness.stats.all_pairs import contrasts
from harness.stats.pairwise import contrast

ITEMS = 60


def made(stream: int, seeds: int = 6, group: int = 3, items: int = ITEMS) -> Outcomes:
    rng = np.random.default_rng(stream)
    shared_N = np.random.default_rng(7).normal(0.3, 1, items)
    score_SN = shared_N + rng.normal(0, 0.3, (seeds, 1)) + rng.normal(0, 1, (seeds, items))
    return Outcomes(score_SN > 0, tuple(range(seeds)), np.arange(items) // group)


def same(got: Contrast, expected: Contrast) -> None:
    def flat(c: Contrast) -> dict[str, object]:
        plain = asdict(c)
        spread = plain.pop("spread")
        return plain | ({} if spread is None else {"spread": str(spread["seeds"]["df"])})

    ours, theirs = flat(got), flat(expected)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        exact = not isinstance(value, float)
        assert ours[name] == (value if exact else pytest.approx(value, rel=1e-9, abs=1e-15)), name


@pytest.mark.parametrize("estimand", ["E1", "E2"])
@pytest.mark.parametrize("group", [1, 3])
def test_every_kind_of_pair(estimand: str, group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained and deterministic rows, other seeds, few seeds, and rows that are equal or agree in
    every group; in chunks of one pair or of all.
    """
    first = made(1, group=group)
    moved = replace(first, correct_SN=np.roll(first.correct_SN, 1, axis=1))
    rows = {
        "a": first, "b": made(2, group=group), "equal to a": first, "a, moved": moved,
        "other seeds": replace(made(3, group=group), seeds=tuple(range(2, 8))),
        "few": made(4, seeds=4, group=group), "eight": made(5, seeds=8, group=group),
        "fixed": replace(made(6, seeds=1, group=group), seeds=(None,)),
        "all": replace(first, correct_SN=np.ones_like(first.correct_SN)),
        "none": replace(first, correct_SN=np.zeros_like(first.correct_SN)),
    }  # fmt: skip
    pairs = [*combinations(rows, 2), ("b", "a")]
    expected = [contrast(rows[a], rows[b], name_a=a, name_b=b, estimand=estimand) for a, b in pairs]
    assert len({c.test for c in expected}) >= 2
    for chunk in (1, 4_000_000):
        monkeypatch.setattr(all_pairs, "CHUNK", chunk)
        got = contrasts(rows, pairs, estimand=estimand)
        for ours, theirs in zip(got, expected, strict=True):
            same(ours, theirs)


def test_rows_on_other_items_are_refused() -> None:
    rows = {"a": made(1), "b": made(2, group=1)}
    with pytest.raises(ValueError, match="same items"):
        contrasts(rows, [("a", "b")])
    assert len(contrasts(rows, [])) == 0


def test_rows_with_equally_many_correct_outcomes_are_tied_exactly() -> None:
    a = made(1)
    rng = np.random.default_rng(0)
    b = replace(a, correct_SN=rng.permuted(a.correct_SN.ravel()).reshape(a.correct_SN.shape))
    (got,) = contrasts({"a": a, "b": b}, [("a", "b")])
    assert (got.difference, got.p) == (0.0, 1.0)


def test_one_group_says_nothing() -> None:
    rows = {name: replace(made(i), groups_N=np.zeros(ITEMS, int)) for i, name in enumerate("ab")}
    (got,) = contrasts(rows, [("a", "b")])
    assert (got.p, got.note) == (None, "one group: no evidence about other items")
