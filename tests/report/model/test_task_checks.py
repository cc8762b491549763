"""What `report` and `claims` name, checked against the grid before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import TaskError
from harness.report.model.task_checks import check_report_keys, rows_of_no_cell
from harness.task.grid import expand

from ..studies import task_of

CLAIM = {"text": "Texts are better.", "a": "text", "b": "random", "direction": ">"}


@pytest.mark.parametrize(
    ("report", "key", "nearest"),
    [
        ({"rows": "clasifier"}, "report.rows", "classifier"),
        ({"columns": "shot"}, "report.columns", "shots"),
        ({"published": ["few_shots"]}, "report.published", "few_shot"),
    ],
)
def test_a_name_that_does_not_exist_is_refused(
    report: dict[str, Any], key: str, nearest: str
) -> None:
    with pytest.raises(TaskError, match=nearest) as error:
        check_report_keys(task_of(report=report), "task.yaml")
    assert key in str(error.value)


def test_axes_and_what_is_beside_them_are_names() -> None:
    report = {"rows": ["classifier", "recipe.lr", "init"], "columns": "train_classes"}
    check_report_keys(task_of(report=report, claims=[CLAIM | {"where": {"shots": 1}}]), "task.yaml")
    with pytest.raises(TaskError, match=r"claims\.where"):
        check_report_keys(task_of(claims=[CLAIM | {"where": {"shot": 1}}]), "task.yaml")


def test_rows_that_the_grid_does_not_have_are_noted() -> None:
    task = task_of(claims=[CLAIM, CLAIM | {"b": "randon"}])
    notes = rows_of_no_cell(task, expand(task), [])
    assert notes == ["claims 2, b 'randon' is no row of this grid. Did you mean 'random'?"]
    wrong = task_of(report={"rows": "classifier", "reference": "texts"})
    (note,) = rows_of_no_cell(wrong, expand(wrong), [])
    assert note.startswith("report.reference 'texts' is no row of this grid")


def test_a_value_that_only_one_row_has_is_a_reference() -> None:
    task = task_of(report={"reference": "random"})
    assert rows_of_no_cell(task, expand(task), []) == []
    assert rows_of_no_cell(task_of(report={}), expand(task), []) == []


@pytest.mark.parametrize(
    ("changes", "axis"),
    [
        ({"report": {"rows": ["dataset", "classifier"], "average": "these_datasets"}}, "dataset"),
        (
            {"dataset": ["emoji", "folder:x"],
             "report": {"columns": "shots", "average": "new_datasets"}},
            "dataset",
        ),
    ],
)  # fmt: skip
def test_a_mean_goes_over_columns(changes: dict[str, Any], axis: str) -> None:
    with pytest.raises(TaskError, match=f"name {axis} in report.columns"):
        check_report_keys(task_of(**changes), "test")


def test_a_mean_over_one_data_set_is_noted() -> None:
    report = {"rows": "classifier", "average": "new_datasets"}
    alone = task_of(report=report)
    check_report_keys(alone, "test")
    assert rows_of_no_cell(alone, expand(alone), []) == [
        "report.average changes nothing: there is one data set and one class draw"
    ]
    several = task_of(report=report, dataset=["emoji", "folder:x"])
    check_report_keys(several, "test")
    assert rows_of_no_cell(several, expand(several), []) == []
    drawn = task_of(report=report, class_seed=[0, 1])
    assert rows_of_no_cell(drawn, expand(drawn), []) == []
