"""The option values in the tasks of methods are those that the settings study chose."""

from __future__ import annotations

import csv
import json
import math
from typing import Any

import pytest
from conftest import ROOT, read_like

from harness.core.cells import Cell, Choice
from harness.core.protocols.method import BUDGET
from harness.task.grid import expand, value_of

TRIALS = ROOT / "reports" / "baselines_settings_trials.csv"


def chosen() -> dict[str, dict[str, Any]]:
    """Row of the study -> its best setting over all shots and seeds: the highest top1, of equals
    the lowest NLL, then the first.
    """
    best: dict[str, tuple[tuple[float, float], dict[str, Any]]] = {}
    with TRIALS.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["column"] or line["failed"] != "0":
                continue
            rank = (float(line["top1"]), -float(line["nll"]))
            if line["row"] not in best or rank > best[line["row"]][0]:
                best[line["row"]] = rank, json.loads(line["setting"])
    return {
        row: {name.removeprefix("method."): value for name, value in setting.items()}
        for row, (_, setting) in best.items()
    }


def of_task(name: str) -> dict[str, dict[str, Any]]:
    """Row of the study -> the options that the task gives it."""
    task, _ = read_like(name)
    cells = expand(task)
    return {_row(cell): dict(_method(cell).options) for cell in cells if not _is_form(cell)}


def _method(cell: Cell) -> Choice:
    method: Choice = value_of(cell, "method")
    return method


def _is_form(cell: Cell) -> bool:
    """A second form of a method, which the study did not search."""
    return bool({"wise", "form"} & dict(_method(cell).options).keys())


def _row(cell: Cell) -> str:
    start = cell.classifier
    return _method(cell).name + (f" · {start}" if start is not None else "")


@pytest.mark.parametrize("name", ["baselines", "baselines_motion"])
def test_a_task_has_the_settings_that_were_chosen(name: str) -> None:
    found, expected = of_task(name), chosen()
    assert {row: options for row, options in found.items() if options} == expected


def test_the_study_searched_every_method_within_the_budget() -> None:
    """On development classes, by validation samples."""
    task, _ = read_like("baselines_settings")
    cells = expand(task)
    assert {c.classes.part for c in cells} == {"development"}
    searched = [c for c in cells if c.search is not None]
    assert {c.selection for c in searched} == {"val"}
    sizes = {_row(c): math.prod(len(v) for _, v in c.search or ()) for c in searched}
    assert set(sizes) == set(chosen())
    assert max(sizes.values()) <= BUDGET


def test_a_benchmark_searches_nothing_and_reads_no_validation_samples() -> None:
    for name in ("baselines", "baselines_motion"):
        task, _ = read_like(name)
        for cell in expand(task):
            assert (cell.search, cell.val, cell.selection) == (None, None, "last")
    assert {c.classes.part for c in expand(read_like("baselines")[0])} == {"unseen"}
