"""Cells, plans and requests that the tests of launchers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.cells import Cell, Choice, KeyedCell
from harness.core.protocols.launcher import Events, LaunchRequest
from harness.core.store import Store
from harness.plan.plan import make_plan
from harness.task.grid import expand
from harness.task.read import validate

#: Two classifiers, two seeds: four cells that take seconds.
TASK: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "classes": {"pick": 5, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "classifier": ["text", "random"],
    "recipe": {"lr": 1e-3, "epochs": 2, "warmup_epochs": 0},
    "resolution": 64,
    "seeds": 2,
}


def planned(store: Store) -> list[KeyedCell]:
    """The cells of TASK, which can run."""
    return list(make_plan(expand(validate(TASK, "t.yaml")), store).cells)


def invented(number: int, resolution: int | None = None) -> list[KeyedCell]:
    """Cells for what only looks at them. Those of one resolution share features."""
    return [
        KeyedCell(
            Cell(Choice("emoji"), "full", Choice("e"), resolution=resolution, seed=n),
            f"{n:08x}{resolution or 0:08x}",
            f"t{n:07x}{resolution or 0:08x}",
        )
        for n in range(number)
    ]


def request(store: Store, cells: Sequence[KeyedCell], settings: Any, **changes: Any) -> Any:
    """A request as the study makes it, with fields replaced by `changes`."""

    def run_here(cells: Sequence[KeyedCell], jobs: int) -> None:
        from harness.run.runner import run_cells

        run_cells(cells, store, jobs=jobs, events=fields["events"])

    fields: dict[str, Any] = {
        "cells": cells,
        "store": store,
        "task_name": "tiny",
        "task_yaml": "name: tiny\n",
        "save": False,
        "logs": (),
        "measures": (),
        "events": Events(),
        "cost": lambda cell: 1.0,
        "settings": settings,
        "run_here": run_here,
    }
    fields |= changes
    return LaunchRequest(**fields)
