"""Cells of a small study with what they share, as the runner has them when training begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import plan_of

from harness.core.cells import Recipe
from harness.core.protocols.launcher import Events
from harness.core.store import Store
from harness.plan.resolve import ResolvedCell
from harness.run.context import RunContext
from harness.run.leakage import Leakage
from harness.run.plugins import run_plugins
from harness.run.resources import Resources
from harness.training.distributed import World

from .outside import task


@dataclass(frozen=True)
class Prepared:
    cells: list[ResolvedCell]
    context: RunContext

    @property
    def resources(self) -> Resources:
        return self.context.resources

    @property
    def cell(self) -> ResolvedCell:
        """The only one."""
        (resolved,) = self.cells
        return resolved

    @property
    def recipe(self) -> Recipe:
        """Of the only one."""
        recipe = self.cell.cell.recipe
        assert recipe is not None
        return recipe


def prepare(resources: Resources, cells: Sequence[ResolvedCell]) -> None:
    """As one process does."""
    resources.load(cells)
    resources.settle(cells, World())


def prepared(runs: Path, *, save: bool = False, **changes: Any) -> Prepared:
    """By default one cell: the classifier `text` at seed 0."""
    cells = plan_of(task(classifier="text", seeds=1) | changes, runs).cells
    resources = Resources()
    prepare(resources, cells)
    context = RunContext(Store(runs), resources, Leakage(), run_plugins(), Events(), save)
    return Prepared(cells, context)
