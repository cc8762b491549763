"""Class draws: their agreement, and the test over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core.outcomes import Contrast
from harness.report.model.draws import summarise_draws
from harness.report.model.labels import Column
from harness.report.model.table import build_table
from harness.stats.corrected_t import corrected_t

from ..studies import few_shot_accuracy, make_results, task_of


def small(**changes: Any) -> Any:
    return task_of(**{"include": [], **changes})


def contrast(difference: float, p: float = 0.01) -> Contrast:
    return Contrast(
        "text", "random", difference, difference - 0.1, difference + 0.1, p, p, 5, 100, 50,
        "E2", "two-way random effects",
    )  # fmt: skip


def test_class_draws_are_compared_one_by_one() -> None:
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1, 2, 3])
    table = build_table(make_results(task, few_shot_accuracy))
    (summary,) = table.draws
    assert sorted(summary.contrasts) == [0, 1, 2, 3]
    assert (summary.same_sign, summary.significant) == (4, 4)
    assert summary.over_draws is not None
    assert summary.over_draws.t is not None
    mean = np.mean([c.difference for c in summary.contrasts.values()])
    assert summary.over_draws.mean == pytest.approx(mean)
    found = table.summary("text", "1 shot")
    assert found is not None
    assert found[1] is not None
    assert found[1] <= found[0]


def test_three_draws_are_descriptive_and_a_missing_draw_blocks_the_mean() -> None:
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1, 2])
    (summary,) = build_table(make_results(task, few_shot_accuracy)).draws
    assert summary.over_draws is not None
    assert summary.over_draws.t is None
    task = small(classifier=["text", "random"], shots=1, class_seed=[0, 1, 2, 3])
    table = build_table(
        make_results(
            task, few_shot_accuracy, status=lambda c: "missing" if c.class_seed == 1 else "done"
        )
    )
    assert table.draws[0].over_draws is None
    assert table.summary("text", "1 shot") is None


def test_the_overlap_of_classes_corrects_the_test_by_hand() -> None:
    """Half of the classes are shared: n_test / n_train is 0.5 / 0.5 = 1."""
    gaps = [0.10, 0.12, 0.08, 0.11]
    columns = [Column("1 shot", draw) for draw in range(4)]
    # Ten classes each: five of all draws, and five of its own.
    names = [frozenset([*"abcde", *(f"{draw}{i}" for i in range(5))]) for draw in range(4)]
    (summary,) = summarise_draws(
        {column: [contrast(gap)] for column, gap in zip(columns, gaps, strict=True)},
        dict(zip(columns, names, strict=True)),
    )
    assert summary.over_draws == corrected_t(np.array(gaps), 1.0)
    assert summary.planned == 4


def test_draws_of_the_same_classes_are_not_tested() -> None:
    columns = [Column("1 shot", draw) for draw in range(4)]
    (summary,) = summarise_draws(
        {column: [contrast(0.1)] for column in columns},
        {column: frozenset("abc") for column in columns},
    )
    assert summary.over_draws is None


def test_agreement_counts_the_sign_of_most_draws() -> None:
    gaps = {0: 0.1, 1: -0.1, 2: 0.05, 3: 0.0}
    columns = {draw: Column("1 shot", draw) for draw in gaps}
    (summary,) = summarise_draws(
        {columns[d]: [contrast(gap, p=0.2 if d == 2 else 0.01)] for d, gap in gaps.items()},
        {column: frozenset(f"{i}" for i in range(3)) for column in columns.values()},
    )
    assert (summary.same_sign, summary.significant) == (2, 1)
    assert list(summary.contrasts) == [0, 1, 2, 3]
