"""The tests are tested: equal methods are drawn many times, and false alarms are counted.

Correctness comes from a latent scale on which seeds, items and groups of items have effects of
their own and on each method. A method's effect on an item is drawn, so under E2 the methods are
equal although on any one test set they are not: what treats the items as fixed raises alarms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import ndtr

from benchmarks.tail_pairs import any_false_pair, pair_tests
from benchmarks.tail_rows import RowWorld, cover
from benchmarks.tail_worlds import WORLDS as TAIL
from benchmarks.tail_worlds import simulate
from harness.core.outcomes import Outcomes
from harness.stats.clusters import clustered_t
from harness.stats.family import adjust, tied_with_best
from harness.stats.mcnemar import mcnemar
from harness.stats.paired_t import paired_t
from harness.stats.pairwise import contrast, estimate
from harness.stats.proportion import wilson
from harness.stats.two_way import two_way

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, IntArray

CEILING_05, CEILING_01, CEILING_FAMILY, FLOOR_COVERAGE = 0.08, 0.02, 0.10, 0.92
RUNS = 2000


@dataclass(frozen=True)
class World:
    """Standard deviations on the latent scale; `_m` those that differ between methods."""

    level: float = 0.5
    seed: float = 0.3
    seed_m: float = 0.2
    item: float = 1.0
    item_m: float = 0.5
    group: float = 0.0
    group_m: float = 0.0
    noise: float = 0.7

    @property
    def accuracy(self) -> float:
        """Of every method, over all seeds and items."""
        parts = (self.seed, self.seed_m, self.item, self.item_m, self.group, self.group_m)
        return float(ndtr(self.level / np.sqrt(np.square([*parts, self.noise]).sum())))

    @property
    def still(self) -> World:
        """The same without seeds: what deterministic methods live in."""
        return replace(self, seed=0.0, seed_m=0.0)

    def groups(self, rng: np.random.Generator) -> IntArray:
        if not self.group_m:
            return np.arange(150)
        return np.repeat(np.arange(60), rng.choice([1, 1, 2, 3, 5, 12], 60))

    def draw(
        self, rng: np.random.Generator, seeds: int, *, gains: tuple[float, ...] = (0.0, 0.0)
    ) -> tuple[BoolArray, IntArray]:
        """Correctness (methods, S, N) and the groups of its items."""
        groups_N = self.groups(rng)
        k, n, g = len(gains), len(groups_N), groups_N[-1] + 1
        z = rng.standard_normal
        latent = self.level + np.array(gains)[:, None, None] + self.noise * z((k, seeds, n))
        latent += self.seed * z((1, seeds, 1)) + self.seed_m * z((k, seeds, 1))
        latent += self.item * z((1, 1, n)) + self.item_m * z((k, 1, n))
        if self.group_m:
            latent += (self.group * z((1, 1, g)) + self.group_m * z((k, 1, g)))[:, :, groups_N]
        return latent > 0, groups_N


WORLDS = {
    "items decide": World(seed_m=0.05, item_m=0.8),
    "both decide": World(),
    "seeds decide": World(seed_m=0.4, item_m=0.1),
    "rare differences": World(level=2.0, seed_m=0.02, item_m=0.15, noise=0.05),
    "unequal groups": World(group=0.7, group_m=0.5, seed_m=0.1, item_m=0.3),
    "groups and seeds": World(group=0.7, group_m=0.4, seed_m=0.3, item_m=0.3),
}
WORLDS_OF_THE_TAIL = {w.name: w for w in reversed(TAIL)}
worlds = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())


def trained(x_SN: BoolArray, groups_N: IntArray) -> Outcomes:
    return Outcomes(x_SN, tuple(range(len(x_SN))), groups_N)


def p_values(
    test: Callable[[BoolArray, BoolArray, IntArray], float | None],
    world: World,
    seeds: int,
    *,
    runs: int = RUNS,
    gain: float = 0.0,
) -> np.ndarray:
    rng = np.random.default_rng(20)
    p = []
    for _ in range(runs):
        (a_SN, b_SN), groups_N = world.draw(rng, seeds, gains=(gain, 0.0))
        p.append(test(a_SN, b_SN, groups_N))
    return np.array(p, dtype=float)


def by_contrast(a_SN: BoolArray, b_SN: BoolArray, groups_N: IntArray) -> float | None:
    return contrast(trained(a_SN, groups_N), trained(b_SN, groups_N), name_a="a", name_b="b").p


def by_two_way(a_SN: BoolArray, b_SN: BoolArray, groups_N: IntArray) -> float:
    return two_way(a_SN.astype(float) - b_SN, groups_N).t.p


def by_paired_t(a_SN: BoolArray, b_SN: BoolArray, groups_N: IntArray) -> float:
    t = paired_t(a_SN.mean(axis=1) - b_SN.mean(axis=1)).t
    return 1.0 if t is None else t.p


def by_mcnemar_pooled(a_SN: BoolArray, b_SN: BoolArray, groups_N: IntArray) -> float:
    return mcnemar(int((a_SN & ~b_SN).sum()), int((b_SN & ~a_SN).sum()), a_SN.size).p


def by_deterministic(a_SN: BoolArray, b_SN: BoolArray, groups_N: IntArray) -> float | None:
    a, b = Outcomes(a_SN, (None,), groups_N), Outcomes(b_SN, (None,), groups_N)
    return contrast(a, b, name_a="a", name_b="b").p


@pytest.mark.parametrize("seeds", [5, 7, 10])
@worlds
def test_false_alarms_stay_below_the_ceiling(world: World, seeds: int) -> None:
    p = p_values(by_contrast, world, seeds)
    assert np.mean(p <= 0.05) <= CEILING_05
    assert np.mean(p <= 0.01) <= CEILING_01


@pytest.mark.parametrize("seeds", [2, 3])
def test_fewer_than_five_seeds_get_no_p_because_it_would_be_wrong(seeds: int) -> None:
    world = WORLDS["groups and seeds"]
    assert np.isnan(p_values(by_contrast, world, seeds, runs=3)).all()
    assert np.mean(p_values(by_two_way, world, seeds) <= 0.01) > CEILING_01


@pytest.mark.parametrize("name", ["items decide", "unequal groups"])
def test_naive_tests_exceed_the_ceiling_in_the_same_world(name: str) -> None:
    for naive in (by_paired_t, by_mcnemar_pooled):
        p = p_values(naive, WORLDS[name], 5)
        assert np.mean(p <= 0.05) > 2 * CEILING_05
        assert np.mean(p <= 0.01) > 2 * CEILING_01


def test_forgotten_groups_exceed_the_ceiling() -> None:
    def blind(a_SN: BoolArray, b_SN: BoolArray, groups_N: IntArray) -> float:
        return by_two_way(a_SN, b_SN, np.arange(len(groups_N)))

    p = p_values(blind, WORLDS["unequal groups"], 5)
    assert np.mean(p <= 0.05) > 1.5 * CEILING_05


@worlds
def test_deterministic_rows_hold_the_ceiling(world: World) -> None:
    p = p_values(by_deterministic, world.still, 1)
    assert np.mean(p <= 0.05) <= CEILING_05
    assert np.mean(p <= 0.01) <= CEILING_01


@pytest.mark.parametrize("name", ["both decide", "items decide", "unequal groups"])
def test_false_alarms_are_not_bought_with_blindness(name: str) -> None:
    equal = p_values(by_contrast, WORLDS[name], 5)
    assert np.mean(equal <= 0.05) > 0.03
    found = p_values(by_contrast, WORLDS[name], 5, runs=300, gain=0.9)
    assert np.mean(found <= 0.05) > 0.8


def test_families_hold_their_ceiling() -> None:
    rng = np.random.default_rng(21)
    alarms = bare = lost = 0
    for i in range(400):
        world = list(WORLDS.values())[i % len(WORLDS)]
        x_KSN, groups_N = world.draw(rng, 5, gains=(0.0,) * 4)
        rows = [trained(x_SN, groups_N) for x_SN in x_KSN]
        family = adjust(
            [
                contrast(rows[i], rows[j], name_a=str(i), name_b=str(j))
                for i, j in combinations(range(4), 2)
            ]
        )
        alarms += any(c.p_adjusted is not None and c.p_adjusted <= 0.05 for c in family)
        bare += any(c.p is not None and c.p <= 0.05 for c in family)
        lost += len(tied_with_best("0123", x_KSN.mean(axis=(1, 2)).tolist(), family)) < 4
    assert alarms / 400 <= CEILING_FAMILY
    assert lost <= alarms
    assert bare / 400 > CEILING_FAMILY


@worlds
def test_intervals_cover_the_accuracy(world: World) -> None:
    rng = np.random.default_rng(22)
    covered = pooled = 0
    for _ in range(RUNS):
        (x_SN,), groups_N = world.draw(rng, 5, gains=(0.0,))
        got = estimate(trained(x_SN, groups_N))
        assert got.low is not None
        assert got.high is not None
        covered += got.low <= world.accuracy <= got.high
        naive = wilson(float(x_SN.mean()), x_SN.size)
        pooled += naive.low <= world.accuracy <= naive.high
    assert covered / RUNS >= FLOOR_COVERAGE
    assert pooled / RUNS < 0.8


@worlds
def test_intervals_of_deterministic_rows_cover(world: World) -> None:
    still, rng, covered = world.still, np.random.default_rng(23), 0
    for _ in range(RUNS):
        (x_SN,), groups_N = still.draw(rng, 1, gains=(0.0,))
        got = estimate(Outcomes(x_SN, (None,), groups_N))
        assert got.low is not None
        assert got.high is not None
        covered += got.low <= still.accuracy <= got.high
    assert covered / RUNS >= FLOOR_COVERAGE


def test_intervals_of_differences_cover_a_true_one() -> None:
    world = WORLDS["groups and seeds"]
    better = replace(world, level=world.level + 0.5)
    truth = better.accuracy - world.accuracy
    rng = np.random.default_rng(24)
    covered = 0
    for _ in range(RUNS):
        (a_SN, b_SN), groups_N = world.draw(rng, 5, gains=(0.5, 0.0))
        got = contrast(trained(a_SN, groups_N), trained(b_SN, groups_N), name_a="a", name_b="b")
        assert got.low is not None
        assert got.high is not None
        covered += got.low <= truth <= got.high
    assert covered / RUNS >= FLOOR_COVERAGE


def test_clustered_intervals_of_differences_cover() -> None:
    world = WORLDS["unequal groups"].still
    rng = np.random.default_rng(25)
    covered = 0
    for _ in range(RUNS):
        (a_SN, b_SN), groups_N = world.draw(rng, 1)
        t = clustered_t(a_SN[0].astype(float) - b_SN[0], groups_N)
        covered += t.low <= 0 <= t.high
    assert covered / RUNS >= FLOOR_COVERAGE


def test_a_family_of_eight_rows_holds_its_ceiling_where_seeds_decide() -> None:
    """Without shared variances it does not; tests/test_tail_benchmark.py has the arithmetic."""
    drawn = simulate(WORLDS_OF_THE_TAIL["seeds 80%"], 5, 500)
    shared, alone = (pair_tests(drawn, moderated=m).p() for m in (True, False))
    assert any_false_pair(shared) <= CEILING_FAMILY / 2
    assert any_false_pair(alone) > CEILING_FAMILY
    assert np.mean(shared <= 0.05) <= CEILING_05
    assert np.mean(shared <= 0.01) <= CEILING_01


def test_classes_that_compete_hold_the_ceilings() -> None:
    """An error in a class makes one in its neighbour likely, so groups are not independent."""
    world = WORLDS_OF_THE_TAIL["50 classes compete in 2 dimensions"]
    p = pair_tests(simulate(world, 5, 600), moderated=True).p()
    assert any_false_pair(p) <= CEILING_FAMILY
    assert np.mean(p <= 0.05) <= CEILING_05
    assert np.mean(p <= 0.01) <= CEILING_01


@pytest.mark.parametrize("accuracy", [0.99, 0.01])
@pytest.mark.parametrize(("groups", "seeds"), [(10, 5), (25, 5), (25, 10), (25, 0)])
def test_intervals_near_0_and_1_cover_with_few_groups(
    accuracy: float, groups: int, seeds: int
) -> None:
    world = RowWorld("", groups, 25, seeds, accuracy, seed=0.1, group=1.5, item=0.5)
    found = cover(world, 400)
    assert found.covered >= 0.93
    assert found.before < found.covered


@pytest.mark.parametrize("accuracy", [0.5, 0.7, 0.9])
def test_other_intervals_are_as_wide_as_before(accuracy: float) -> None:
    world = RowWorld("", 50, 10, 5, accuracy, seed=0.1, group=1.5, item=0.5)
    assert cover(world, 100).ratio == pytest.approx(1, abs=0.03)
