"""`power`: what the undecided pairs of a table need, from its entries and Records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.report.model.needs import NO_SPREAD, ONE_SEED, needs_of
from harness.report.model.table import Table, build_table
from harness.report.text.needs import needs_text
from harness.stats.planning import components, groups_needed, seeds_needed

from ..studies import few_shot, few_shot_accuracy, make_results, task_of


def built(**task: Any) -> Table:
    return build_table(few_shot(task={"shots": 1, **task}, wall=3.0))


def test_undecided_pairs_are_planned_at_the_level_of_their_family() -> None:
    table = built()
    needs = needs_of(table)
    undecided = [c for c in table.against if (p := c.contrast.p_adjusted) is None or p > 0.05]
    assert 0 < len(needs.of) == len(undecided) < needs.compared == len(table.against)
    assert needs.m == undecided[0].m
    for need in needs.of:
        a, b = (table.entries[row, need.column].outcomes for row in (need.a, need.b))
        assert a is not None
        assert b is not None
        d_SN = a.correct_SN.astype(float) - b.correct_SN
        plan, alpha = components(d_SN, a.groups_N), 0.05 / needs.m
        target = abs(d_SN.mean())
        assert need.target == pytest.approx(target)
        assert need.seeds_needed == seeds_needed(plan, target, alpha=alpha)
        assert need.groups_needed == groups_needed(plan, target, alpha=alpha)
        if need.seeds_needed is not None:
            # Both rows take 3 s a seed.
            assert need.seconds == pytest.approx(6 * max(0, need.seeds_needed - 5))


def test_the_margin_or_a_named_difference_is_the_target() -> None:
    report = {"rows": "classifier", "reference": "random", "margin": 4}
    assert {n.target for n in needs_of(built(report=report)).of} == {0.04}
    assert {n.target for n in needs_of(built(report=report), target=0.02).of} == {0.02}
    small, large = (needs_of(built(), target=t).of[0].groups_needed for t in (0.02, 0.1))
    assert large is not None
    assert small is None or large < small


def test_too_few_seeds_have_no_test_yet_but_a_plan() -> None:
    table = built(seeds=3)
    needs = needs_of(table, target=0.05)
    assert len(needs.of) == needs.compared
    assert needs.m == len(table.pairs), "the planned family, all pairs of the column"
    assert all(n.power is None and (n.seeds_needed or 5) >= 5 for n in needs.of)
    assert "no test today" in needs_text(needs, "x")
    one = needs_of(built(seeds=1), target=0.05)
    assert {n.why for n in one.of} == {ONE_SEED}


def test_equal_rows_have_nothing_to_plan_with() -> None:
    task = task_of(classifier=["text", "random"], include=[], shots=1,
                   report={"rows": "classifier"})  # fmt: skip
    results = make_results(task, few_shot_accuracy)
    zeros = {"rank": np.zeros(200, dtype=np.uint32)}
    table = build_table(type(results)(
        results.task, results.results, (), results.tests, lambda _: zeros, ()))  # fmt: skip
    (need,) = needs_of(table, target=0.05).of
    assert (need.why, need.seeds_needed) == (NO_SPREAD, None)
    assert NO_SPREAD in needs_text(needs_of(table, target=0.05), "x")


def test_the_text() -> None:
    text = needs_text(needs_of(built()), "few_shot")
    assert text.startswith("few_shot: ")
    assert "comparisons undecided (family: column, m = " in text
    assert "5 seeds, 200 items in 100 groups" in text
    assert "to find" in text
    few = needs_of(built(classifier=["prototype", "text_shuffled"], include=[],
                         report={"rows": "classifier"}))  # fmt: skip
    assert needs_text(few, "x") == "x: no comparison is undecided (1 in the family)."


def test_with_these_items_only_seeds_can_be_added() -> None:
    report = {"rows": "classifier", "columns": "shots", "estimand": "these_items"}
    needs = needs_of(built(report=report), target=0.01)
    assert needs.of
    for need in needs.of:
        assert need.floor == 0, "infinitely many seeds find every difference on these items"
        assert need.why or need.seeds_needed is not None
