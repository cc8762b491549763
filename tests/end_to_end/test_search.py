"""Hyper-parameters are chosen on validation samples, with the same budget for every row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of, run_study

from harness.core.records import Record

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


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    runs = tmp_path_factory.mktemp("search")
    return run_study(TASK, runs, classifier=["text", "random"]).records


def test_every_row_tries_every_configuration_and_keeps_the_best(records: list[Record]) -> None:
    assert len(records) == 4
    for record in records:
        trials = record.diagnostics["search"]
        assert [t["config"] for t in trials] == [
            {"lr": lr, "epochs": epochs} for lr in (1e-6, 1e-3) for epochs in (2, 4)
        ]
        best = max(trials, key=lambda t: (t["val_top1"], -t["val_nll"]))
        assert record.diagnostics["chosen"] == best["config"]
        assert len(record.curve) == best["config"]["epochs"]


def test_the_chosen_configuration_is_the_fixed_recipe_run_alone(
    records: list[Record], tmp_path: Path
) -> None:
    """The search changes nothing but the recipe: the same support set, streams and start."""
    chosen = records[0].diagnostics["chosen"]
    (alone,) = run_study(
        TASK, tmp_path, classifier="text", seeds=[0], recipe={**TASK["recipe"], "epochs": 9},
        search={f"recipe.{name}": [value] for name, value in chosen.items()},
    ).records  # fmt: skip
    assert alone.support == records[0].support
    assert alone.top1 == records[0].top1
    assert alone.nll == records[0].nll


def test_the_validation_samples_are_not_trained_on(tmp_path: Path) -> None:
    (resolved, *_) = plan_of(TASK, tmp_path).cells
    support, validation = resolved.support, resolved.validation
    assert support is not None
    assert validation is not None
    assert len(validation.items) == 2 * 6
    assert not set(support.items) & set(validation.items)


def test_a_search_on_the_test_set_says_so_in_the_record(tmp_path: Path) -> None:
    (record,) = run_study(
        TASK, tmp_path, selection="test", allow_test_selection=True, val=None, seeds=1,
        classifier="text",
    ).records  # fmt: skip
    trials = record.diagnostics["search"]
    chosen = next(t for t in trials if t["config"] == record.diagnostics["chosen"])
    assert chosen["test_top1"] == record.top1 == max(t["test_top1"] for t in trials)
    assert chosen["test_nll"] == pytest.approx(record.nll)


def test_a_cell_without_samples_left_for_validation_is_infeasible(tmp_path: Path) -> None:
    plan = plan_of(TASK, tmp_path, shots=[2, 4])
    assert {cell.shots for cell, _ in plan.infeasible} == {4}
    assert "val: 2 leaves too few of the 5 training samples" in plan.infeasible[0][1]


def test_a_configuration_that_diverges_loses_and_the_others_go_on(tmp_path: Path) -> None:
    (record,) = run_study(
        TASK, tmp_path, seeds=1, classifier="text", search={"recipe.lr": [1e38, 1e-3]},
        recipe={**TASK["recipe"], "optimiser": "sgd"},
    ).records  # fmt: skip
    diverged, kept = record.diagnostics["search"]
    assert "not a finite number" in diverged["error"]
    assert "error" not in kept
    assert record.diagnostics["chosen"] == {"lr": 1e-3}


def test_a_search_whose_configurations_all_diverge_is_a_failed_record(tmp_path: Path) -> None:
    (record,) = run_study(
        TASK, tmp_path, failing=True, seeds=1, classifier="text",
        search={"recipe.lr": [1e38, 1e37]}, recipe={**TASK["recipe"], "optimiser": "sgd"},
    ).records  # fmt: skip
    assert record.status == "failed"
    message = (record.error or {})["message"]
    assert message.startswith("every configuration of the search failed: ")
    assert "not a finite number" in message
