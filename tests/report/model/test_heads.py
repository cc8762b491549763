"""The ends of heads on frozen features, from the diagnostics of their Records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.heads import HeadEnd, head_ends
from harness.report.model.results import Results
from harness.report.model.table import build_table

from ..studies import make_results, task_of

HEADS: dict[str, Any] = {
    "classifier": ["text", "random"], "include": [], "shots": [1, 4], "seeds": 2,
    "tuning": "head", "report": {"rows": "classifier"},
}  # fmt: skip


def diagnostics(cell: Cell) -> dict[str, Any]:
    """At 4 shots the gradients of `text` end at 0.004 and 0.012 of the start: at 0.008."""
    seed, near = cell.seed or 0, str(cell.classifier) == "text" and cell.shots == 4
    return {
        "gradient_norm": (0.004 + 0.008 * seed) * 3 if near else 3.0,
        "gradient_norm_start": 3.0 if near else 6.0,
        "relative_distance_from_start": 1.0 + seed,
        "row_to_class_mean_degrees": 40.0 + 10 * seed,
        "training_margin": 2.0 - seed,
    }


def study(of: Any = diagnostics, **task: Any) -> Results:
    results = make_results(task_of(**HEADS | task), lambda _: 0.5)
    found = [
        replace(r, record=replace(r.record, diagnostics=of(r.cell)))
        for r in results.results
        if r.record is not None
    ]
    return replace(results, results=tuple(found))


def ends(results: Results) -> dict[tuple[str, str], HeadEnd]:
    return {(e.row, e.column.label): e for e in head_ends(build_table(results))}


def test_means_over_seeds() -> None:
    found = ends(study())
    assert list(found) == [
        ("text", "1 shot"), ("random", "1 shot"), ("text", "4 shots"), ("random", "4 shots"),
    ]  # fmt: skip
    near, far = found["text", "4 shots"], found["random", "1 shot"]
    assert near.gradient_norm == pytest.approx(0.024)
    assert (near.relative_distance, near.degrees, near.margin) == (1.5, 45.0, 1.5)
    assert near.gradient_left == pytest.approx(0.008)
    assert (near.nearly_converged, far.nearly_converged) == (True, False)
    assert far.gradient_left == pytest.approx(0.5)
    assert not near.convex
    assert not near.linear


def test_one_percent_is_near_and_more_is_not() -> None:
    for start, near in ((100.0, True), (99.0, False)):
        of = {"gradient_norm": 1.0, "gradient_norm_start": start}
        assert ends(study(lambda _, of=of: of))["text", "1 shot"].nearly_converged is near


def test_where_it_cannot_be_told() -> None:
    """Records of earlier versions, a gradient of 0 at the start, and a proximal term."""
    for of in ({"gradient_norm": 0.1}, {"gradient_norm": 0.1, "gradient_norm_start": 0.0}):
        found = ends(study(lambda _, of=of: of))["text", "1 shot"]
        assert found.gradient_norm == pytest.approx(0.1)
        assert (found.nearly_converged, found.degrees) == (None, None)
    held = ends(study(recipe={"lr": 1e-3, "proximal": 1.0}))
    assert {end.nearly_converged for end in held.values()} == {None}


def test_linear_heads_and_convex_solvers() -> None:
    steps = ends(study(paradigm="vision_only"))
    assert all(end.linear and not end.convex for end in steps.values())
    solved = ends(study(lambda _: {"gradient_norm": 1e-7, "convex": True}, paradigm="vision_only"))
    assert all(end.convex and end.nearly_converged is None for end in solved.values())


def test_other_trainings_and_methods_have_none() -> None:
    assert head_ends(build_table(study(tuning="projection"))) == []
    assert head_ends(build_table(study(lambda _: {}))) == []
