"""The screens of a study with its outcomes, from its Records or from the csv of its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.protocols.screen import Screen
    from harness.report.model.screening import Screening
    from harness.study import Study


def screening_of(study: Study, screens: Mapping[str, Screen]) -> Screening:
    """Measure every cell of a study. Outcomes are there where cells have run; what is missing, and
    where outcomes are from, is said on standard error.

    Raises BadInput if no cell has a W and samples.
    """
    from functools import partial

    from harness.commands._messages import say
    from harness.commands._progress import Progress
    from harness.commands._studies import plan_of
    from harness.core.errors import BadInput
    from harness.core.progress import shown_by
    from harness.report.model.screening import PlannedCell, build_screening
    from harness.run.screen import screen_cells

    plan, name = plan_of(study), study.task.name
    with Progress(first_seconds=1.0) as progress, shown_by(progress.update):
        told = partial(progress.update, "pictures")
        found = screen_cells(plan.cells, screens, told)
    if not any(screened.values for screened in found.values()):
        why = next((s.why for s in found.values() if s.why), "it has no cells")
        raise BadInput(f"{name}: no cell can be measured before training: {why}")
    records, reported = _recorded(study), _reported(study)
    outcomes = {**reported, **records}
    cells = [
        PlannedCell(cell, c.key, found[c.key], outcomes.get(c.key))
        for c in plan.cells
        for cell in plan.shown(c.cell)
    ]
    infeasible = [cell for each, _ in plan.infeasible for cell in plan.shown(each)]
    from_csv = sum(c.key in reported and c.key not in records for c in plan.cells)
    if from_csv:
        say(f"{name}: outcomes of {from_csv} cells are from {study.reports / f'{name}.csv'}")
    if missing := sum(c.key not in outcomes for c in plan.cells):
        say(f"{name}: {missing} of {len(plan.cells)} cells have no outcome yet")
    return build_screening(study.task, cells, infeasible, screens)


def _recorded(study: Study) -> dict[str, float]:
    """Top-1 accuracy by the key of the cell, of done Records."""
    records = (study.record(c) for c in study.plan().cells)
    return {r.key: r.top1 for r in records if r and r.status == "done" and r.top1 is not None}


def _reported(study: Study) -> dict[str, float]:
    """The same, of the csv of the study's report: a key stands for the same cell and data.

    Raises BadInput for a csv that is not one of cells.
    """
    import csv

    from harness.core.errors import BadInput

    path = study.reports / f"{study.task.name}.csv"
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            done = [line for line in csv.DictReader(file) if line["status"] == "done"]
        return {line["key"]: float(line["top1"]) for line in done}
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"{path}: is not a csv of cells: {error}") from error
