"""The csv files: one line per cell, one per contrast."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

from harness.core.cells import Cell, Choice
from harness.report.model.results import Results
from harness.report.model.table import Table, build_table
from harness.report.render import csv_files
from harness.task.grid import AXES, expand

from ..studies import MIXED, few_shot, few_shot_accuracy, make_results, name_of, task_of

MEASURES = ["top1", "top5", "mean_class", "nll", "ece"]
REST = ["n", "seconds", "gpu_seconds", "chosen", "key"]


def cells(results: Results) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_files.cells_csv(results))))


def contrasts(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_files.contrasts_csv(table))))


def test_the_columns_of_a_margin_are_last() -> None:
    report = {"rows": "classifier", "columns": "shots", "reference": "random"}
    without = build_table(few_shot())
    table = build_table(few_shot(task={"report": report | {"margin": 8}}))
    plain, lines = contrasts(without), contrasts(table)
    names = ["margin", "verdict", "low_90", "high_90", "p_equivalent"]
    assert list(lines[0]) == [*plain[0], *names]
    assert [{k: v for k, v in line.items() if k not in names} for line in lines] == plain
    assert {line["margin"] for line in lines} == {"0.08"}
    for line in lines:
        low, high = float(line["low_90"]), float(line["high_90"])
        assert float(line["low"]) < low < high < float(line["high"])
        different, inside = float(line["p_adjusted"]) <= 0.05, float(line["p_equivalent"]) <= 0.05
        assert (low > -0.08 and high < 0.08) or not inside  # the pair alone is no stricter
        assert line["verdict"] == {
            (True, False): "different", (False, True): "equivalent within the margin",
            (True, True): "different, but within the margin", (False, False): "undecided",
        }[different, inside]  # fmt: skip
    assert len({line["verdict"] for line in lines}) >= 3


def test_rows_of_two_names_may_be_the_same_cells() -> None:
    recipe = [{"name": "a", "lr": 1e-3}, {"name": "b", "lr": 1e-3}]
    task = task_of(
        recipe=recipe, classifier=["text", "random"], include=[], shots=1,
        report={"rows": ["classifier", "recipe"], "margin": 2},
    )  # fmt: skip
    lines = contrasts(build_table(make_results(task, few_shot_accuracy)))
    verdicts = {(line["a"], line["b"]): line["verdict"] for line in lines}
    assert verdicts["text · a", "text · b"] == "the same cells"
    assert verdicts["text · a", "random · b"] == "different"


def test_a_line_per_cell() -> None:
    def status(cell: Cell) -> str:
        if name_of(cell) == "random":
            return {0: "missing", 1: "failed"}.get(cell.seed or 0, "done")
        return "done"

    results = few_shot(status=status)
    lines = cells(results)
    assert list(lines[0]) == [*AXES, "selection", "seed", "status", *MEASURES, *REST]
    assert len(lines) == len(results.results) + len(results.infeasible) == 120
    assert {line["status"] for line in lines} == {"done", "missing", "failed", "infeasible"}
    done = next(line for line in lines if line["status"] == "done")
    assert 0 < float(done["top1"]) < 1
    assert (done["classifier"], done["shots"], done["n"]) == ("text", "1", "200")
    assert (done["nll"], done["ece"]) == ("1.25", "0.05")
    assert {line["chosen"] for line in lines} == {""}
    missing = next(line for line in lines if line["status"] == "missing")
    assert missing["top1"] == ""
    assert missing["key"]
    infeasible = next(line for line in lines if line["status"] == "infeasible")
    assert (infeasible["ece"], infeasible["n"], infeasible["key"]) == ("", "", "")


def test_further_measures_follow_the_top_level_ones() -> None:
    def measures(cell: Cell) -> dict[str, float]:
        return {"m:z": 2.5, "m:a": 0.5} if name_of(cell) == "text" else {}

    lines = cells(few_shot(measures=measures))
    assert list(lines[0]) == [
        *AXES, "selection", "seed", "status", *MEASURES, "m:a", "m:z", *REST,
    ]  # fmt: skip
    assert {(line["m:a"], line["m:z"]) for line in lines if line["classifier"] == "text"} == {
        ("0.5", "2.5")
    }
    assert {line["m:a"] for line in lines if line["classifier"] == "random"} == {""}


def test_what_a_search_chose_and_what_it_was_chosen_on() -> None:
    results = make_results(task_of(**MIXED), few_shot_accuracy)
    first, *rest = results.results
    assert first.record is not None
    chosen = replace(first.record, diagnostics={"chosen": {"lr": 0.01, "decay": "constant"}})
    lines = cells(replace(results, results=(replace(first, record=chosen), *rest)))
    assert lines[0]["chosen"] == '{"decay":"constant","lr":0.01}'
    assert {line["selection"] for line in lines if line["classifier"] == "random"} == {"test"}
    assert {line["selection"] for line in lines} == {"test", "last"}


def test_a_method_has_no_paradigm() -> None:
    none: dict[str, Any] = {"paradigm": None, "classifier": None, "schedule": None}
    method = Choice("tip_adapter", (("alpha", 1.0),))
    task = task_of(classifier="text", include=[], shots=1)
    both = [*expand(task), *(replace(c, method=method, **none) for c in expand(task))]
    results = make_results(task, lambda _: 0.5, cells=both)
    last = cells(results)[-1]
    assert (last["paradigm"], last["classifier"]) == ("", "")
    assert json.loads(last["method"]) == {"name": "tip_adapter", "alpha": 1.0}
    (contrast,) = contrasts(build_table(results))
    assert (contrast["paradigm"], contrast["method"]) == ("", "")  # the two rows differ


def test_lines_do_not_depend_on_what_order_the_seeds_are_in() -> None:
    results = few_shot()
    by_seed = tuple(sorted(results.results, key=lambda r: r.cell.seed or 0))
    assert by_seed != results.results
    other = replace(results, results=by_seed)
    lines, mixed = (csv_files.cells_csv(r).splitlines() for r in (results, other))
    assert sorted(mixed) == sorted(lines)
    keys = [line.rpartition(",")[2] for line in mixed[1:]]
    assert keys == [r.key for r in by_seed] + [""] * len(results.infeasible)
    whole, again = build_table(results), build_table(other)
    assert (again.rows, again.columns) == (whole.rows, whole.columns)
    assert csv_files.contrasts_csv(again) == csv_files.contrasts_csv(whole)


def test_a_line_per_contrast() -> None:
    table = build_table(few_shot())
    lines = contrasts(table)
    assert list(lines[0]) == [
        "a", "b", *(a for a in AXES if a != "classifier"), "difference", "low", "high", "p",
        "p_adjusted", "seeds", "items", "groups", "test", "smallest_detectable", "family",
    ]  # fmt: skip
    against = [i for i, line in enumerate(lines) if line["b"] == "random"]
    assert against == list(range(20))  # 6, 7 and 7 rows; lda is infeasible at 1 shot
    assert len(lines) == 21 + 28 + 28
    assert len({(line["a"], line["b"], line["shots"]) for line in lines}) == len(lines)
    first = lines[0]
    assert (first["a"], first["b"], first["shots"]) == ("text", "random", "1")
    assert float(first["difference"]) == table.against[0].contrast.difference
    vision = next(line for line in lines if line["a"] == "vision_only")
    assert vision["paradigm"] == ""  # the two rows differ on it


def test_a_p_that_must_not_be_given_is_empty() -> None:
    lines = contrasts(build_table(few_shot(task={"seeds": 3})))
    assert {(line["p"], line["p_adjusted"]) for line in lines} == {("", "")}
    assert all(line["difference"] for line in lines)


def test_the_reference_family_comes_first_and_is_named() -> None:
    report = {"rows": "classifier", "reference": "random", "family": "reference"}
    families = [
        line["family"] for line in contrasts(build_table(few_shot(task={"report": report})))
    ]
    assert families == ["reference"] * 20 + [""] * 57
