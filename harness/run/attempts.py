"""Cells to train, and each configuration of their searches as a training of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.cells import Cell, Recipe
from harness.core.protocols.solver import Watch
from harness.plan.resolve import ResolvedCell


@dataclass(frozen=True)
class Training:
    """A cell to train, and the callbacks of its training."""

    resolved: ResolvedCell
    watch: Watch


@dataclass(frozen=True)
class Attempt:
    """One training of a cell; `number` is its position in the search."""

    training: Training
    number: int
    config: dict[str, Any]
    recipe: Recipe

    @property
    def resolved(self) -> ResolvedCell:
        return self.training.resolved

    @property
    def cell(self) -> Cell:
        """The cell with the recipe of this attempt, as a solver sees it."""
        return replace(self.resolved.cell, recipe=self.recipe, search=None)

    @property
    def watch(self) -> Watch:
        searched = self.resolved.cell.search is not None
        return self.training.watch.of_training(self.number) if searched else self.training.watch


def attempts_of(training: Training, recipe: Recipe) -> Iterator[Attempt]:
    """One for every configuration of the search."""
    for number, config in enumerate(configurations(training.resolved.cell)):
        yield Attempt(training, number, config, replace(recipe, **config))


def chunks(attempts: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    """Attempts that the solver takes together. It is asked again, because a search changes the
    recipes of the cells that it accepted.
    """
    chunk: list[Attempt] = []
    # By configuration, so that equal recipes of several cells are neighbours.
    for attempt in sorted(attempts, key=lambda a: a.number):
        solver = attempt.resolved.setup.solver.plugin
        if chunk and not (
            len(chunk) < solver.TOGETHER and solver.accepts([a.cell for a in (*chunk, attempt)])
        ):
            yield chunk
            chunk = []
        chunk.append(attempt)
    if chunk:
        yield chunk


def configurations(cell: Cell) -> list[dict[str, Any]]:
    """Every combination of the searched values; one empty configuration without a search."""
    spaces = dict(cell.search or ())
    return [dict(zip(spaces, v, strict=True)) for v in itertools.product(*spaces.values())]
