"""Hyper-parameters are chosen on validation samples, with the same budget for every row."""

from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import TaskError
from harness.core.store import Store
from harness.plan.plan import make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate

TASK: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 2,
    "classes": {"pick": 6, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "resolution": 64,
    "recipe": {"lr": 1e-3, "epochs": 4, "warmup_epochs": 0, "decay": "constant"},
    "search": {"recipe.lr": [1e-6, 1e-3], "recipe.epochs": [2, 4]},
    "val": 2,
    "selection": "val",
    "seeds": 2,
}


def run(root: Path, **changes: Any) -> list[Any]:
    store = Store(root)
    plan = make_plan(expand(validate({**TASK, **changes}, "t.yaml")), store, "t.yaml")
    run_cells(plan.missing(), store)
    return [store.read(p.key) for p in plan.cells]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    return run(tmp_path_factory.mktemp("search"), classifier=["text", "random"])


def test_every_row_tries_every_configuration_and_keeps_the_best(records: list[Any]) -> None:
    assert len(records) == 4
    for record in records:
        assert record.status == "done", record.error
        tried = record.diagnostics["search"]
        assert [t["config"] for t in tried] == [
            {"lr": lr, "epochs": epochs} for lr in (1e-6, 1e-3) for epochs in (2, 4)
        ]
        best = max(tried, key=lambda t: (t["val_top1"], -t["val_nll"]))
        assert record.diagnostics["chosen"] == best["config"]
        assert len(record.curve) == best["config"]["epochs"]


def test_the_chosen_configuration_is_the_fixed_recipe_run_alone(
    records: list[Any], tmp_path: Path
) -> None:
    """The search changes nothing but the recipe: the same support set, streams and start."""
    chosen = records[0].diagnostics["chosen"]
    alone = run(
        tmp_path, classifier="text", seeds=[0], recipe={**TASK["recipe"], "epochs": 9},
        search={f"recipe.{name}": [value] for name, value in chosen.items()},
    )  # fmt: skip
    assert alone[0].support == records[0].support
    assert alone[0].top1 == records[0].top1
    assert alone[0].nll == records[0].nll


def test_where_no_sample_is_left_there_is_no_cell(tmp_path: Path) -> None:
    plan = make_plan(expand(validate({**TASK, "shots": [2, 4]}, "t.yaml")), Store(tmp_path))
    assert {c.shots for c, _ in plan.infeasible} == {4}
    assert "left for 2 of validation" in plan.infeasible[0][1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"selection": "test"}, "selection: choosing on the test set inflates"),
        ({"val": None}, "needs val beside it"),
        ({"selection": "last"}, "needs selection: val beside it"),
        ({"search": None}, "needs search beside it"),
        ({"search": {"recipe.lrr": [1]}}, "Did you mean 'recipe.lr'"),
        ({"search": {"classifier": ["text"]}}, "cannot be searched"),
        ({"search": {"recipe.lr": []}}, "names no value"),
        ({"search": {"recipe.lr": ["fast"]}}, "valid number"),
    ],
)
def test_what_is_no_search(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TaskError, match=words):
        validate({**TASK, **changes}, "t.yaml")
