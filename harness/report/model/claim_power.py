"""What the accuracy claims of a page could show at its level, and what is missing. Pure.

A page corrects over m comparisons, so that a single one is tested at 0.05/m: what the first step of
Holm's correction asks for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from harness.core.outcomes import Contrast
from harness.report.model.claims import JudgedClaim
from harness.report.model.entry import Entry
from harness.report.model.estimand import NEW_CLASSES
from harness.report.model.needs import components_of
from harness.stats.planning import floor_of_seeds, groups_needed, seeds_needed
from harness.stats.power import smallest_detectable

#: The difference that a claim should be able to tell, a fraction.
TARGET = 0.02
POWER = 0.8


@dataclass(frozen=True)
class ClaimPower:
    """What the test of an accuracy claim finds with POWER, and what it needs to find `target`.

    Fractions. For a claim that one row is above the other: a true difference. For a claim of
    equality within a margin: the margin inside which two equally accurate rows are shown to be.
    What is needed is None where no number is enough, or nothing is needed.
    """

    claim: JudgedClaim
    smallest: float
    target: float
    seeds: int  # today
    groups: int
    unit: str  # what a group is: class, item or group
    random_seeds: bool = True
    seeds_needed: int | None = None
    groups_needed: int | None = None  # with today's seeds
    floor: float | None = None  # `smallest` with infinitely many seeds; None without a plan

    @property
    def is_able(self) -> bool:
        """Whether it finds `target`."""
        return self.smallest <= self.target


def smallest_of(j: JudgedClaim) -> float | None:
    """What an adjusted claim about accuracies finds at the level of its page (see ClaimPower); None
    for other claims, and for tests that have no such number.
    """
    c = j.contrast
    if j.claim.measure != "top1" or c is None or c.p is None or c.smallest_detectable is None:
        return None
    if c.se is None or c.df is None or not j.m:
        return None
    alpha, power = _level_and_power(j, c)
    return smallest_detectable(c.se, c.df, alpha=alpha, power=power)


def is_of_equality(j: JudgedClaim) -> bool:
    """Whether a claim can be confirmed inside a margin."""
    return j.claim.direction == "=" and j.margin > 0


def powers(judged: Iterable[JudgedClaim]) -> list[ClaimPower]:
    """One for every different comparison of accuracies that has a smallest difference."""
    different: dict[Hashable, JudgedClaim] = {}
    for j in judged:
        different.setdefault(j.same, j)
    return [found for j in different.values() if (found := _power(j)) is not None]


def _power(j: JudgedClaim) -> ClaimPower | None:
    c, smallest = j.contrast, smallest_of(j)
    if c is None or smallest is None or j.entries is None:
        return None
    target = j.margin if is_of_equality(j) else TARGET
    found = ClaimPower(j, smallest, target, c.seeds, c.groups, _unit(j.entries[0]))
    plan = None if found.is_able else components_of(*j.entries)[0]
    if plan is None:
        return found
    alpha, power = _level_and_power(j, c)
    return replace(
        found,
        random_seeds=plan.random_seeds,
        seeds_needed=seeds_needed(plan, target, alpha=alpha, power=power),
        groups_needed=groups_needed(plan, target, alpha=alpha, power=power),
        floor=floor_of_seeds(plan, alpha=alpha, power=power),
    )


def _level_and_power(j: JudgedClaim, c: Contrast) -> tuple[float, float]:
    """Of the two-sided t test with the same power.

    Equality needs two one-sided tests at the level. Of two equal rows each fails with half of the
    chance that either does.
    """
    alpha = c.level / j.m
    return (2 * alpha, (1 + POWER) / 2) if is_of_equality(j) else (alpha, POWER)


def _unit(entry: Entry) -> str:
    """What a group of test items is: a class, an item, or several that were sampled together."""
    found = entry.estimate
    if found is None:
        return "group"
    if entry.estimand == NEW_CLASSES:
        return "class" if found.groups == entry.classes else "group"
    return "item" if found.groups == found.items else "group"
