"""`report.average`, recomputed from the entries of the table."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.report.model.average import Average, friedman_of, separable_pairs
from harness.report.model.labels import Column
from harness.report.model.mean_table import mean_table, mean_titles
from harness.report.model.table import Table, build_table
from harness.stats.holm import holm

from ..several_sets import names_of_sets, several
from ..studies import few_shot_accuracy, make_results, task_of


def built(kind: str | None, **options: Any) -> tuple[Table, Average]:
    table = build_table(several(kind, **options))
    assert table.average is not None
    return table, table.average


def accuracies(table: Table, row: str) -> np.ndarray[Any, Any]:
    """(M, S): of every column of the table and every seed."""
    found = [table.entries[row, c].outcomes for c in table.columns]
    return np.array([o.correct_SN.mean(axis=1) for o in found if o is not None])


def test_without_the_key_nothing_is_averaged() -> None:
    table = build_table(several(None, datasets=names_of_sets(2), rows=2))
    assert table.average is None
    assert mean_table(table) is None
    assert mean_titles(table) == ()


@pytest.mark.parametrize("kind", ["these_datasets", "new_datasets"])
def test_the_mean_is_that_of_the_columns(kind: str) -> None:
    table, found = built(kind)
    (column,) = found.columns
    assert mean_titles(table) == ("mean of 6 data sets · 1 shot",)
    for row in table.rows:
        estimate = found.entries[row, column].estimate
        assert estimate is not None
        assert estimate.mean == pytest.approx(accuracies(table, row).mean())
        assert estimate.items == 6 * 60
        assert found.values[row, column] == pytest.approx(accuracies(table, row).mean(axis=1))


def signed_ranks_p(d_M: np.ndarray[Any, Any]) -> float:
    """Every sign pattern is listed, with mid-ranks."""
    ranks = stats.rankdata(np.abs(np.round(d_M, 10)))
    sums = np.array([np.dot(ranks, signs) for signs in product((-1, 1), repeat=len(d_M))])
    return float((np.abs(sums) >= abs(np.dot(ranks, np.sign(d_M))) - 1e-9).mean())


def test_new_data_sets_by_hand() -> None:
    """Eight data sets and four rows: six pairs, and 2/2^8 is at most 0.05/6."""
    table, found = built("new_datasets", datasets=names_of_sets(8))
    (column,) = found.columns
    value = {row: accuracies(table, row).mean(axis=1) for row in table.rows}
    pairs = list(combinations(table.rows, 2))
    p = [signed_ranks_p(value[a] - value[b]) for a, b in pairs]
    adjusted = holm(p)
    for c, raw, of_family in zip(found.pairs, p, adjusted, strict=True):
        d_M = value[c.contrast.a] - value[c.contrast.b]
        ends = stats.t.interval(0.95, 7, d_M.mean(), stats.sem(d_M))
        assert (c.contrast.p, c.contrast.p_adjusted) == pytest.approx((raw, of_family))
        assert (c.contrast.low, c.contrast.high) == pytest.approx(ends)
        assert c.m == 6
        tally = found.tallies[column, c.contrast.a, c.contrast.b]
        assert (tally.win, tally.loss) == ((d_M > 0).sum(), (d_M < 0).sum())
    estimate = found.entries["text", column].estimate
    assert estimate is not None
    ends = stats.t.interval(0.95, 7, value["text"].mean(), stats.sem(value["text"]))
    assert (estimate.low, estimate.high) == pytest.approx(ends)
    omnibus = friedman_of(found, column)
    assert omnibus is not None
    theirs = stats.friedmanchisquare(*value.values())
    assert (omnibus.statistic, omnibus.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    separable = {frozenset(x) for x, q in zip(pairs, adjusted, strict=True) if q and q <= 0.05}
    assert separable_pairs(found, column) == separable
    assert separable, "the study has something to find"
    best = max(table.rows, key=lambda r: value[r].mean())
    tied = {r for r in table.rows if frozenset((r, best)) not in separable}
    assert {row for row, _ in found.verdicts.bold} == tied


def test_few_data_sets_have_wins_and_no_p() -> None:
    """Seven data sets and six pairs: 2/2^7 is above 0.05/6."""
    _, found = built("new_datasets", datasets=names_of_sets(7))
    assert all(c.contrast.p is None and c.m == 0 for c in found.pairs)
    assert (found.verdicts.bold, dict(found.verdicts.ranks)) == (frozenset(), {})
    assert separable_pairs(found, found.columns[0]) is None


def test_fewer_comparisons_need_fewer_data_sets() -> None:
    """Against a reference there are three: 2/2^7 is at most 0.05/3. Ranks still need all pairs."""
    report = {"reference": "random", "family": "reference"}
    _, found = built("new_datasets", datasets=names_of_sets(7), report=report)
    assert [(c.m, c.family, c.contrast.p is None) for c in found.against] == (
        [(3, "reference", False)] * 3
    )
    assert not found.verdicts.ranks


def test_a_family_of_the_table_is_that_of_all_means() -> None:
    _, found = built("these_datasets", rows=3, shots=[1, 2], report={"family": "table"})
    assert {c.m for c in found.pairs} == {6}
    assert found.columns == (Column("1 shot"), Column("2 shots"))
    adjusted = holm([c.contrast.p for c in found.pairs])
    assert [c.contrast.p_adjusted for c in found.pairs] == adjusted


def test_a_fixed_benchmark_is_narrower_than_other_data_sets() -> None:
    ends = []
    for kind in ("these_datasets", "new_datasets"):
        _, found = built(kind)
        estimate = found.entries["text", found.columns[0]].estimate
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        ends.append(estimate.high - estimate.low)
    assert ends[0] < 0.5 * ends[1]


def test_dataset_means_these_datasets() -> None:
    assert task_of(report={"average": "dataset"}).report.average == "these_datasets"
    with pytest.raises(TaskError, match="average"):
        task_of(report={"average": "all_datasets"})


def test_a_missing_cell_blocks_the_mean_that_needs_it() -> None:
    def missing(cell: Cell) -> str:
        where = (str(cell.dataset), str(cell.classifier), cell.seed)
        return "missing" if where == ("folder:set_b", "text", 2) else "done"

    _, found = built("these_datasets", status=missing)
    (column,) = found.columns
    entry = found.entries["text", column]
    assert (entry.status, entry.seeds_done, entry.seeds_wanted) == ("missing", 29, 30)
    assert entry.estimate is None
    assert found.entries["random", column].status == "done"
    assert not any("text" in (c.contrast.a, c.contrast.b) for c in found.pairs)
    assert {c.m for c in found.pairs} == {6}, "pairs that wait for cells count in m"
    assert not found.verdicts.bold


def test_a_row_without_a_data_set_has_no_mean() -> None:
    exclude = [{"classifier": "text", "dataset": "folder:set_c"}]
    _, found = built("new_datasets", task={"exclude": exclude})
    (column,) = found.columns
    assert found.entries["text", column].status == "infeasible"
    assert found.entries["text", column].reasons == ("no mean without folder:set_c",)
    assert len(found.pairs) == 3


def test_official_splits_are_one_data_set() -> None:
    splits = [{"name": "video:ucf", "split": s} for s in (1, 2)]
    table, found = built("new_datasets", datasets=[*splits, "folder:set_a", "folder:set_b"])
    (column,) = found.columns
    assert [len(u.columns) for u in found.units[column].of] == [2, 1, 1]
    of_columns = accuracies(table, "text").mean(axis=1)
    expected = [of_columns[:2].mean(), of_columns[2], of_columns[3]]
    assert found.values["text", column] == pytest.approx(expected)
    estimate = found.entries["text", column].estimate
    assert estimate is not None
    assert estimate.mean == pytest.approx(np.mean(expected))


def draws(kind: str, seeds: list[int], **task: Any) -> tuple[Table, Average]:
    changes = {"classifier": ["text", "random", "prototype"], "include": [], "shots": 1, **task}
    report = {"rows": "classifier", "average": kind}
    results = make_results(
        task_of(**changes, class_seed=seeds, report=report), few_shot_accuracy, n=60, n_classes=30
    )
    table = build_table(results)
    assert table.average is not None
    return table, table.average


def test_class_draws_that_share_classes_are_corrected() -> None:
    """Draws of the test study share 24 of 30 names, and more the nearer they are."""
    table, found = draws("new_datasets", [0, 1, 2, 3])
    (column,) = found.columns
    assert mean_titles(table) == ("mean of 4 class draws · 1 shot",)
    names = [
        {*(f"{i}" for i in range(24)), *(f"x{i + 10 * draw}" for i in range(24, 30))}
        for draw in range(4)
    ]
    shares = [len(a & b) / 30 for a, b in combinations(names, 2)]
    overlap = found.units[column].overlap
    assert overlap == pytest.approx(np.mean(shares))
    c = next(p.contrast for p in found.pairs if (p.contrast.a, p.contrast.b) == ("text", "random"))
    d_J = (accuracies(table, "text") - accuracies(table, "random")).mean(axis=1)
    error = d_J.std(ddof=1) * (1 / 4 + overlap / (1 - overlap)) ** 0.5
    assert c.p == pytest.approx(2 * stats.t.sf(abs(d_J.mean()) / error, 3))
    assert friedman_of(found, column) is None


def test_draws_of_several_data_sets_are_units_of_their_own() -> None:
    table, found = draws("these_datasets", [0, 1], dataset=["emoji", "folder:x"])
    (units,) = found.units.values()
    assert (len(units.of), units.datasets) == (4, 2)
    assert units.noun == "class draws of 2 data sets"
    assert units.overlap == pytest.approx(2 / 6 * 24 / 30)
    assert mean_titles(table) == ("mean of 4 class draws of 2 data sets",)


@pytest.mark.parametrize("kind", ["these_datasets", "new_datasets"])
def test_one_data_set_has_no_mean_and_the_page_says_so(kind: str) -> None:
    table = build_table(several(kind, datasets=names_of_sets(1)))
    assert table.average is None
    assert any("no mean over data sets" in note for note in table.notes)


def test_a_frame_has_the_means_last() -> None:
    table, found = built("these_datasets", rows=2)
    frame = table.dataframe()
    assert len(frame) == 2 * 6 + 2
    last = frame.iloc[-2]
    estimate = found.entries["text", found.columns[0]].estimate
    assert estimate is not None
    assert (last["row"], last["column"]) == ("text", "mean of 6 data sets · 1 shot")
    assert last["mean"] == pytest.approx(estimate.mean)
