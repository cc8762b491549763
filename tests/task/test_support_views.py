"""The key `support_views`: what it takes, and the cells that have such views."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cell_json import cell_from
from harness.core.cells import Cell, Choice
from harness.core.errors import TaskError
from harness.task.grid import expand
from harness.task.notes import values_of_no_cell
from harness.task.read import as_yaml, json_schema, plain, validate
from harness.task.support_views import sides_matter

VIEWS = {"n": 10, "scale": [0.5, 1], "flip": True, "use": "pool"}
TASK: dict[str, Any] = {
    "name": "t",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "encoder": "embedded/lit-emoji",
    "support_views": VIEWS,
    "seeds": 1,
}


def cells(**changes: Any) -> list[Cell]:
    return expand(validate(TASK | changes, "t.yaml"))


def views(**changes: Any) -> Any:
    (cell,) = cells(**changes)
    return cell.support_views


def choice(use: str = "pool", **changes: Any) -> Choice:
    options = {"flip": True, "n": 10, "scale": (0.5, 1.0)} | changes
    return Choice(use, tuple(options.items()))


def test_every_value_is_in_the_cell() -> None:
    assert views() == choice()
    assert views(support_views={"n": 3, "flip": False}) == choice(
        flip=False, n=3, scale=(0.08, 1.0)
    )


def test_no_views_leave_the_cell_as_it_was() -> None:
    (without,) = cells(support_views=None)
    assert without.support_views is None
    assert "support_views" not in without.plain()
    (with_views,) = cells()
    plain_cell = with_views.plain()
    assert plain_cell.pop("support_views") == {"name": "pool", "flip": True, "n": 10,
                                               "scale": (0.5, 1.0)}  # fmt: skip
    assert plain_cell == without.plain()


def test_a_cell_is_read_back_from_json() -> None:
    import json

    (cell,) = cells()
    assert cell_from(json.loads(json.dumps(cell.plain()))) == cell


@pytest.mark.parametrize("dataset", ["emoji", "emoji_motion"])
def test_pictures_are_not_flipped_where_sides_matter(dataset: str) -> None:
    null = VIEWS | {"flip": None}
    assert views(dataset=dataset, support_views=null) == choice(flip=False)
    assert views(dataset=dataset, support_views=VIEWS) == choice(flip=True), "as it is written"
    assert views(dataset="folder:flowers", support_views=null) == choice(flip=True)
    assert sides_matter(Choice("folder:emoji")) is sides_matter(Choice("no_such")) is False


@pytest.mark.parametrize(
    ("changes", "use"),
    [
        ({"tuning": "head"}, "cycle"),
        ({"tuning": "projection"}, "cycle"),
        # Nothing is trained on features: a classifier sees the mean.
        ({"tuning": "none", "classifier": "prototype"}, "mean"),
        ({"tuning": "all", "classifier": "prototype"}, "mean"),
        ({"tuning": "none", "classifier": "text"}, None),
        ({"tuning": "all", "classifier": "text"}, None),
        ({"tuning": "head", "regime": "zero_shot", "shots": None}, None),
    ],
)
def test_who_reads_views(changes: dict[str, Any], use: str | None) -> None:
    found = views(support_views=VIEWS | {"use": "cycle"}, **changes)
    assert found == (None if use is None else choice(use))


def test_methods_read_views_if_they_are_fitted_to_the_support_set() -> None:
    assert views(method="run.outside:RIDGE") == choice()
    assert views(method="no_such_method") is None


def test_several_are_an_axis() -> None:
    several = [None, VIEWS, VIEWS | {"use": "mean"}]
    found = cells(support_views=several)
    assert [cell.support_views for cell in found] == [None, choice(), choice("mean")]
    rest = cells(support_views=several, exclude=[{"support_views": "pool"}])
    assert [cell.support_views for cell in rest] == [None, choice("mean")]
    rest = cells(support_views=several, exclude=[{"support_views": VIEWS | {"use": "mean"}}])
    assert [cell.support_views for cell in rest] == [None, choice()]


def test_what_applies_to_no_cell_is_noted() -> None:
    def notes(**changes: Any) -> list[str]:
        return values_of_no_cell(validate(TASK | changes, "t.yaml"), "t.yaml")

    assert notes() == notes(support_views={"n": 2}) == []
    (note,) = notes(tuning="none", classifier="text", report={})
    assert note == (
        "support_views: {n: 10, scale: [0.5, 1.0], flip: true, use: pool} applies to no cell of "
        "this task"
    )


def test_the_task_as_resolved_is_read_again() -> None:
    task = validate(TASK | {"support_views": [None, {"n": 2}]}, "t.yaml")
    assert plain(task)["support_views"] == [
        None, {"n": 2, "scale": [0.08, 1.0], "flip": None, "use": "pool"}
    ]  # fmt: skip
    assert validate(plain(task), "t.yaml") == task
    assert "support_views:\n- null\n- n: 2\n" in as_yaml(task)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "support_views.n: is missing"),
        ({"n": 0}, "support_views.n: 0: input should be greater than or equal to 1"),
        ({"n": 2, "use": "pol"}, "support_views.use: 'pol' is not allowed; allowed: pool, mean, "
         "cycle. Did you mean 'pool'?"),
        ({"n": 2, "scales": [0, 1]}, "support_views.scales: there is no such key; allowed: n, "
         "scale, flip, use. Did you mean 'scale'?"),
        ({"n": 2, "scale": [0.9, 0.5]},
         "support_views.scale: [0.9, 0.5]: must be [LOW, HIGH], and LOW not above HIGH"),
    ],
)  # fmt: skip
def test_bad_values_are_one_sentence(value: Any, message: str) -> None:
    with pytest.raises(TaskError) as caught:
        validate(TASK | {"support_views": value}, "t.yaml")
    assert str(caught.value).removeprefix("t.yaml: ").startswith(message)


@pytest.mark.parametrize("scale", [[0, 1], [0.5, 1.5], [0.5], 0.5, ["a", 1]])
def test_a_scale_is_two_shares(scale: Any) -> None:
    with pytest.raises(TaskError, match=r"support_views\.scale"):
        validate(TASK | {"support_views": {"n": 2, "scale": scale}}, "t.yaml")


def test_the_schema_knows_the_key() -> None:
    one, several = json_schema()["properties"]["support_views"]["anyOf"]
    assert several["items"] == one
    model = json_schema()["$defs"]["SupportViewsModel"]
    assert list(model["properties"]) == ["n", "scale", "flip", "use"]
    assert model["required"] == ["n"]
