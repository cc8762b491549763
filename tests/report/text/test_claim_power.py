"""The sentences on what accuracy claims could show."""

from __future__ import annotations

from typing import Any

from harness.report.model.claim_power import ClaimPower
from harness.report.model.claims import JudgedClaim
from harness.report.text.claim_power import (
    able_text,
    ends,
    items_missing,
    power_text,
    seeds_missing,
)
from harness.task.schema import ClaimModel

CLAIM = JudgedClaim(ClaimModel(text="a", a="a", b="b", direction=">"), "")


def lacking(**more: Any) -> ClaimPower:
    given = {"smallest": 0.04, "target": 0.02, "seeds": 10, "groups": 300, "unit": "class",
             "floor": 0.03, **more}  # fmt: skip
    return ClaimPower(CLAIM, **given)


def test_the_paragraph_counts_who_could_tell_the_target_at_which_level() -> None:
    text = power_text([lacking(), lacking(smallest=0.019)], 47)
    assert text.startswith(
        "At this page's level, 0.05/47, and with a power of 80%, 1 of 2 different comparisons of "
        "accuracies could tell 2 points"
    )


def test_seeds_say_how_many_and_where_no_number_is_enough() -> None:
    found = [lacking(), lacking(floor=0.035), lacking(seeds_needed=40, floor=0.01)]
    assert seeds_missing(found) == (
        "40 for 1 (today 10); no number for 2 (infinitely many find 3.0 to 3.5)"
    )
    assert seeds_missing([lacking(random_seeds=False)]) == "no seed is random in 1"
    assert seeds_missing([]) == ""


def test_items_are_counted_in_their_unit() -> None:
    found = [
        lacking(groups_needed=700), lacking(groups_needed=1200), lacking(unit="group", groups=91),
        lacking(unit="item", groups_needed=5000, groups=600),
    ]  # fmt: skip
    assert items_missing(found) == (
        "700 to 1,200 classes for 2 (today 300); no number for 1; 5,000 items for 1 (today 600)"
    )


def test_a_comparison_without_a_plan_is_not_called_impossible() -> None:
    assert seeds_missing([lacking(floor=None)]) == "not known for 1"
    assert items_missing([lacking(floor=None)]) == "not known for 1"


def test_a_range_has_its_ends_once() -> None:
    assert ends([0.04, 0.025, 0.03]) == "2.5 to 4.0"
    assert ends([0.04]) == "4.0"


def test_those_that_could_tell_it_are_named() -> None:
    able = lacking(smallest=0.02)
    assert able_text([lacking()]) == "0"
    assert able_text([lacking(), able]) == "1 (a against b)"
    assert able_text([able] * 5) == "5 (a against b; a against b; a against b; 2 more)"
