"""Pages of degenerate studies: no NaN, no interval without width, no claim without evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell
from harness.core.records import Record
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.render.csv_files import cells_csv, contrasts_csv
from harness.report.render.figures import draw
from harness.report.render.markdown import report
from harness.report.render.tex import latex

from .studies import make_results, name_of, task_of

TASK: dict[str, Any] = {
    "classifier": ["text", "random", "orthogonal"], "shots": [1, 2], "include": [],
    "classes": {"pick": 10, "from": "unseen"},
    "claims": [{"text": "t", "a": "text", "b": "random", "direction": ">"},
               {"text": "e", "a": "text", "b": "random", "direction": "=", "margin": 1}],
}  # fmt: skip
REPORTS: tuple[dict[str, Any], ...] = (
    {"family": "column"},
    {"family": "table", "margin": 2},
    {"family": "reference", "reference": "random"},
    {"family": "column", "reference": "random", "estimand": "these_classes"},
    {"family": "column", "estimand": "these_items"},
)


def same(rank: int) -> Callable[[Results], Results]:
    """Every item of every seed and row alike."""

    def change(results: Results) -> Results:
        def arrays(record: Record) -> Mapping[str, np.ndarray[Any, Any]]:
            found = results.arrays(record)
            flat_N = np.full_like(found["rank"], rank)
            return {**found, "rank": flat_N, "prediction": flat_N}

        return replace(results, arrays=arrays)

    return change


def one_group(results: Results) -> Results:
    tests = {k: replace(t, groups=np.zeros_like(t.groups)) for k, t in results.tests.items()}
    return replace(results, tests=tests)


def late(cell: Cell) -> str:
    return "missing" if name_of(cell) == "text" and cell.seed == 1 else "done"


STUDIES: dict[str, Callable[[dict[str, Any]], Results]] = {
    "all-right": lambda r: same(0)(study(r)),
    "all-wrong": lambda r: same(3)(study(r)),
    "one-seed": lambda r: study(r, seeds=1),
    "one-item": lambda r: study(r, n=1, n_classes=1),
    "one-item-five-seeds-all-right": lambda r: same(0)(study(r, n=1, n_classes=1)),
    "one-group": lambda r: one_group(study(r)),
    "missing-seeds": lambda r: study(r, status=late),
    "other-items": lambda r: study(r, test_name=name_of),
    "failed": lambda r: study(r, status=lambda c: "failed" if c.shots == 1 else "done"),
    "nothing": lambda r: study(r, cells=[]),
}


def study(report_keys: dict[str, Any], *, seeds: int = 5, n: int = 40, **options: Any) -> Results:
    keys = {"rows": "classifier", "columns": "shots", **report_keys}
    task = task_of(**TASK, seeds=seeds, report=keys)
    return make_results(task, lambda _: 0.5, n=n, **{"n_classes": 10} | options)


@pytest.mark.parametrize("keys", REPORTS, ids=lambda keys: "-".join(map(str, keys.values())))
@pytest.mark.parametrize("name", STUDIES)
def test_a_degenerate_page_has_no_nan_and_no_claim(name: str, keys: dict[str, Any]) -> None:
    results = STUDIES[name](keys)
    table = build_table(results)
    page = report(results, table, draw(results, table), [], "python -m harness grid x")
    for text in (page, contrasts_csv(table), cells_csv(results), latex(table)):
        assert not re.search(r"\b(nan|NaN|inf|None)\b", text), name
    shown = [c.contrast for c in table.pairs]
    for c in shown:
        assert c.p is None or 0 <= c.p <= 1
        assert c.low is None or c.high is None or c.low <= c.difference <= c.high
        if c.estimand == "E2" and c.low is not None and c.high is not None:
            assert c.low < c.high, "no interval without width"
    # The rows are equally accurate by construction: nothing may be told apart.
    assert not table.verdicts.marks
    assert not any(c.p_adjusted is not None and c.p_adjusted <= 0.05 for c in shown)
    assert " beats " not in page


@pytest.mark.parametrize("name", ["all-right", "all-wrong"])
def test_equal_outcomes_are_no_proof_of_equality(name: str) -> None:
    """10 groups that agree leave an interval far wider than a margin of 2 points."""
    table = build_table(STUDIES[name]({"family": "column", "margin": 2}))
    for c in table.pairs:
        assert c.contrast.difference == 0
        assert c.contrast.p == 1
        assert c.contrast.high is not None
        assert c.contrast.high > 0.1
