"""Show what a task would run, without running it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.cells import Cell
    from harness.plan.plan import Plan
    from harness.run.request import PreparedRun
    from harness.study import Study

HELP = "show the cells of a task, which are done and which are infeasible"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import (
        add_json_argument,
        add_launch_arguments,
        add_task_arguments,
    )

    add_task_arguments(parser)
    add_launch_arguments(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.commands._studies import launch_options, plan_of, study_of
    from harness.run.request import open_launcher

    launcher = open_launcher(args.launch, launch_options(args))
    study = study_of(args, args.task)
    plan_of(study)
    prepared = study.prepare(launcher)
    study.over_budget(prepared)  # raises for a malformed budget
    if args.json:
        print(json.dumps(_document(study, prepared), indent=1))
    else:
        print(describe(study, prepared, study.notes()))
    return 0


def describe(study: Study, prepared: PreparedRun, further: Sequence[str] = ()) -> str:
    """The plan as text, with `further` notes."""
    from harness.core.words import plural
    from harness.plan.estimate import spoken

    plan, forecast = study.plan(), prepared.forecast
    counts = plan.counts()
    lines = [
        f"{study.task.name}: {plural(len(plan.cells), 'cell')}, {counts['done']} done, "
        f"{counts['failed']} failed, {len(prepared.cells)} to run"
    ]
    if prepared.cells:
        device = "core" if prepared.hardware.device == "cpu" else "GPU"
        lines[0] += f" (about {spoken(forecast.seconds)} of one {device})"
        lines.append(f"  estimated: {prepared.work.line()}")
    if prepared.in_flight:
        verb = "is in a job that was" if prepared.in_flight == 1 else "are in jobs that were"
        lines.append(f"  {plural(prepared.in_flight, 'cell')} {verb} submitted before")
    for reason, number in plan.reasons().items():
        verb = "is" if number == 1 else "are"
        lines.append(f"  {plural(number, 'cell')} {verb} infeasible: {reason}")
    lines += [f"  note: {note}" for note in (*further, *_notes(study))]
    return "\n".join([*lines, *forecast.lines])


def _notes(study: Study) -> list[str]:
    """Notes on the task, and on what its runs folder holds."""
    from harness.plan.earlier_keys import note_on_earlier
    from harness.run.unsaved import notes_on_unsaved

    notes, earlier = [*study.plan().notes(), *study.plan().found()], study.earlier()
    notes += notes_on_unsaved(study.task, study.plan(), study.store)
    return [*notes, note_on_earlier(earlier, _adopt_command(study))] if earlier else notes


def _adopt_command(study: Study) -> str:
    import shlex
    from pathlib import Path

    command, runs = study.command.replace(" grid ", " cache adopt ", 1), study.store.root
    return command if runs == Path("runs") else f"{command} --runs {shlex.quote(str(runs))}"


def _document(study: Study, prepared: PreparedRun) -> dict[str, Any]:
    from dataclasses import asdict

    plan, forecast = study.plan(), prepared.forecast
    named = any(c.recipe_name for cells in plan.labelled.values() for c in cells)
    return {
        "task": study.task.name,
        "counts": plan.counts(),
        "seconds": forecast.seconds,
        "work": asdict(prepared.work),
        "launch": {"hours": forecast.hours, "unit": forecast.unit, **forecast.document},
        "notes": [*study.notes(), *_notes(study)],
        "cells": [
            {"key": c.key, "train_key": c.train_key, "status": plan.status.get(c.key, "waiting"),
             "cell": c.cell.plain(), **_recipes(plan, c.cell, named=named)}
            for c in plan.cells
        ],
        "infeasible": [
            {"cell": c.plain(), "reason": r, **_recipes(plan, c, named=named)}
            for c, r in plan.infeasible
        ],
    }  # fmt: skip


def _recipes(plan: Plan, cell: Cell, *, named: bool) -> dict[str, Any]:
    """The names of a cell's recipe, where the task has named recipes."""
    names = [c.recipe_name for c in plan.shown(cell) if c.recipe_name]
    return {"recipes": names} if names or named else {}
