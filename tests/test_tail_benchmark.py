"""benchmarks/tail: its arrays are the product's arithmetic, and its exit code is a verdict."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from benchmarks import tail
from benchmarks.tail_pairs import pair_tests
from benchmarks.tail_rows import RowWorld
from benchmarks.tail_worlds import WORLDS, Competing, World, tables
from harness.core.outcomes import Outcomes
from harness.stats.moderated import share_seed_variance
from harness.stats.pairwise import contrast

SMALL = World("small", 60, 3, 0.7, (0.6, 0.3, 0.1))


@pytest.mark.parametrize("moderated", [False, True])
def test_pairs_are_those_of_the_harness(moderated: bool) -> None:
    x_BKSN = SMALL.draw(np.random.default_rng(0), 5, 3)
    got = pair_tests(tables(x_BKSN, SMALL.group), moderated=moderated)
    groups_N = np.arange(SMALL.items) // SMALL.group
    for b, x_KSN in enumerate(x_BKSN):
        rows = [Outcomes(x_SN, tuple(range(5)), groups_N) for x_SN in x_KSN]
        pairs = [
            contrast(rows[i], rows[j], name_a=str(i), name_b=str(j))
            for i, j in combinations(range(8), 2)
        ]
        expected = share_seed_variance(pairs) if moderated else pairs
        # Outcomes are single precision in the benchmark.
        assert got.error_BP[b] == pytest.approx([c.se for c in expected], rel=1e-4)
        assert got.p()[b] == pytest.approx([c.p for c in expected], rel=1e-3)


def test_rows_of_every_world_are_equally_accurate() -> None:
    for world in WORLDS:
        if not isinstance(world, World) or world.items > 500:
            continue
        x_BKSN = world.draw(np.random.default_rng(1), 5, 60)
        error_K = x_BKSN.mean(axis=(2, 3)).std(axis=0) / 60**0.5
        off_K = (x_BKSN.mean(axis=(0, 2, 3)) - world.accuracy) / error_K
        assert np.abs(off_K).max() < 4.5, world.name


def test_one_false_family_too_many_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dependent = Competing("dependent", 50, 4, 0.2, 0.1)
    monkeypatch.setattr(tail, "WORLDS", (SMALL, dependent))
    monkeypatch.setattr(tail, "ROW_WORLDS", (RowWorld("even", 30, 5, 5, 0.7, 0.1, 0.3, 0.5),))
    assert tail.main(["--studies", "60", "--seeds", "5"]) == 1
    shown = capsys.readouterr().out
    assert "| small, accuracy 0.7 | 60 | 5 |" in shown
    assert "| 30 x 5 | 5 | 0.7 | even |" in shown
    monkeypatch.setattr(tail, "WORLDS", (SMALL,))
    assert tail.main(["--studies", "60", "--seeds", "5"]) == 0
