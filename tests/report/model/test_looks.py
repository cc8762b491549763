"""Tables of Records under a sequential rule: every p counts the looks, every interval its level."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from harness.core.looks import LookRule
from harness.core.records import Record
from harness.core.settled import rules_of
from harness.report.model.claims import judge
from harness.report.model.results import Result, Results
from harness.report.model.table import Table, build_table
from harness.report.render.csv_files import contrasts_csv
from harness.report.render.markdown import body
from harness.report.text.looks import sequential_caption
from harness.stats.pairwise import estimate
from harness.stats.sequential import make_rule

from ..several_sets import several
from ..studies import few_shot

RULE = make_rule(range(5), 10)


def under(results: Results, rule: LookRule = RULE, only: Any = lambda _: True) -> Results:
    """With the mark of a rule in every Record that has a seed and that `only` chooses."""

    def mark(record: Record | None) -> Record | None:
        if record is None or record.cell.get("seed") is None or not only(record.cell):
            return record
        return replace(record, settle=(rule.as_json() | {"look": 0},))

    marked = tuple(Result(r.cell, r.key, mark(r.record)) for r in results.results)
    return replace(results, results=marked)


def study(seeds: int = 10, **task: Any) -> Results:
    return few_shot(task={"shots": [1, 2], "seeds": seeds, "include": [], **task})


@pytest.fixture(scope="module")
def tables() -> tuple[Table, Table]:
    return build_table(study()), build_table(under(study()))


def test_p_is_the_smallest_of_the_looks(tables: tuple[Table, Table]) -> None:
    plain, ruled = tables
    of_five = build_table(study(5)).pairs
    assert len(plain.pairs) == len(ruled.pairs) > 20
    for before, after, first in zip(plain.pairs, ruled.pairs, of_five, strict=True):
        a, b = (plain.entries[row, before.column].outcomes
                for row in (before.contrast.a, before.contrast.b))  # fmt: skip
        assert a is not None
        assert b is not None
        if a.seeds == b.seeds == (None,):
            assert after.contrast == before.contrast
            continue
        looks = [(first.contrast.p, RULE.levels[0]), (before.contrast.p, RULE.levels[1])]
        expected = min(1.0, *(p * 0.05 / level for p, level in looks if p is not None))
        assert after.contrast.p == pytest.approx(expected, abs=1e-12)
        assert after.contrast.level == RULE.levels[1]
        assert after.contrast.difference == before.contrast.difference


def test_the_intervals_of_rows_are_at_the_level_of_their_look(tables: tuple[Table, Table]) -> None:
    plain, ruled = tables
    for place, entry in ruled.entries.items():
        before = plain.entries[place]
        if entry.outcomes is None:
            continue
        if entry.outcomes.seeds == (None,):
            assert (entry.level, entry.estimate) == (0.05, before.estimate)
            continue
        assert entry.level == RULE.levels[1]
        assert entry.estimate == estimate(entry.outcomes, confidence=1 - RULE.levels[1])
        assert before.estimate != entry.estimate


def test_one_marked_row_is_enough() -> None:
    table = build_table(under(study(), only=lambda cell: cell.get("classifier") == "random"))
    for c in table.pairs:
        assert (c.contrast.level < 0.05) == ("random" in (c.contrast.a, c.contrast.b))


def test_the_declared_seeds_alone_have_the_first_look() -> None:
    plain, ruled = build_table(study(5)), build_table(under(study(5)))
    for before, after in zip(plain.pairs, ruled.pairs, strict=True):
        if after.contrast.level < 0.05 and before.contrast.p is not None:
            assert after.contrast.p == pytest.approx(min(1, before.contrast.p * 64))


def test_means_over_data_sets_count_the_looks_too() -> None:
    for kind in ("these_datasets", "new_datasets"):
        results = several(kind, task={"seeds": 10})
        plain, ruled = build_table(results).average, build_table(under(results)).average
        first = build_table(several(kind, task={"seeds": 5})).average
        assert plain is not None
        assert ruled is not None
        assert first is not None
        for a, b, c in zip(plain.pairs, ruled.pairs, first.pairs, strict=True):
            assert b.contrast.level == RULE.levels[1]
            looks = [(c.contrast.p, RULE.levels[0]), (a.contrast.p, RULE.levels[1])]
            known = [min(1.0, p * 0.05 / level) for p, level in looks if p is not None]
            assert (b.contrast.p is None) == (a.contrast.p is None)
            if b.contrast.p is not None:
                assert b.contrast.p == pytest.approx(min(known))
        for place, entry in ruled.entries.items():
            narrow, wide = plain.entries[place].estimate, entry.estimate
            assert narrow is not None
            assert wide is not None
            assert narrow.low is not None
            assert wide.low is not None
            assert wide.low < narrow.low


def test_claims_count_the_looks() -> None:
    claim = {"text": "text is above random", "a": "text", "b": "random", "direction": ">"}
    task = {"claims": [claim], "shots": 1}
    (plain,), (ruled,) = (
        judge(r, build_table(r)) for r in (study(**task), under(study(**task)))
    )  # fmt: skip
    assert plain.contrast is not None
    assert ruled.contrast is not None
    assert ruled.contrast.level == RULE.levels[1]
    assert plain.contrast.p != ruled.contrast.p


def test_class_draws_are_at_the_level_of_their_look() -> None:
    task = {"class_seed": [0, 1, 2, 3], "shots": 1, "classifier": ["text", "random"]}
    plain, ruled = build_table(study(**task)).draws, build_table(under(study(**task))).draws
    for a, b in zip(plain, ruled, strict=True):
        assert a.over_draws is not None
        assert b.over_draws is not None
        assert a.over_draws.t is not None
        assert b.over_draws.t is not None
        assert b.over_draws.t.p == pytest.approx(min(1, a.over_draws.t.p * 0.05 / RULE.levels[1]))
        assert b.over_draws.t.low < a.over_draws.t.low


def test_the_page_and_the_csv_name_the_rule(tables: tuple[Table, Table]) -> None:
    plain, ruled = tables
    assert sequential_caption(plain) == ""
    text = sequential_caption(ruled)
    assert "with looks at 5 and 10 seeds at the levels 0.00078 and 0.049, together 0.05" in text
    assert "95.08% at 10 seeds (1 shot and 2 shots)" in text
    assert "The task declares" not in text
    results = under(study())
    assert text in body(results, ruled, [], [])
    lines = list(csv.DictReader(io.StringIO(contrasts_csv(ruled))))
    assert {line["level"] for line in lines} <= {"0.05", str(RULE.levels[1])}
    assert "level" not in contrasts_csv(plain).splitlines()[0].split(",")


def test_added_seeds_are_said() -> None:
    task, results = study(5).task, under(study())
    text = sequential_caption(build_table(replace(results, task=task)))
    assert "The task declares 5 seeds; the others were added." in text


def test_of_two_rules_the_page_names_both() -> None:
    other = make_rule(range(10), 20)
    results = under(study())
    both = replace(results, results=tuple(
        replace(r, record=r.record and replace(r.record, settle=(
            *r.record.settle, *([other.as_json() | {"look": 0}] if r.record.settle else ()))))
        for r in results.results))  # fmt: skip
    table = build_table(both)
    assert rules_of([r.record for r in both.results if r.record]) == (RULE, other)
    assert "The most cautious of these rules counts." in sequential_caption(table)
    level = min(e.level for e in table.entries.values())
    assert level == min(RULE.levels[1], other.levels[0])


def test_claims_of_the_loss_count_the_looks_too() -> None:
    claim = {"text": "the loss differs", "a": "text", "b": "random", "direction": "=",
             "measure": "loss"}  # fmt: skip

    def loss(cell: Any) -> list[float]:
        return [1.0 + 0.01 * (cell.seed or 0) ** 2 * (cell.classifier.name == "text"), 0.5]

    results = few_shot(
        task={"shots": [1], "seeds": 10, "include": [], "claims": [claim]}, curve=loss
    )
    (plain,), (ruled,) = (judge(r, build_table(r)) for r in (results, under(results)))
    assert plain.contrast is not None
    assert ruled.contrast is not None
    assert ruled.contrast.level == RULE.levels[1]
    assert plain.contrast.p is not None
    assert ruled.contrast.p == pytest.approx(plain.contrast.p * 0.05 / RULE.levels[1])
