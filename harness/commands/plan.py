"""Say what a task would run, without running it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.commands._launch import Estimate
    from harness.commands._session import Session

HELP = "show the cells of a task, which are done and which cannot exist"


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

    from harness.commands import _launch
    from harness.commands._session import open_session

    profile = _launch.check(args)
    session = open_session(args)
    missing, flying = session.plan.missing(), 0
    if args.launch == "slurm":
        missing, flying = _launch.to_run(session, args)
    found = _launch.estimate(session, profile, missing)
    _launch.budget_hours(session)
    print(
        json.dumps(_document(session, found), indent=1)
        if args.json
        else describe(session, found, flying)
    )
    return 0


def describe(session: Session, found: Estimate, flying: int = 0) -> str:
    """The plan in words; `flying` cells are left to jobs that were submitted before."""
    from harness.commands import _launch

    counts = session.plan.counts()
    lines = [
        f"{session.task.name}: {len(session.plan.cells)} cells, {counts['done']} done, "
        f"{counts['failed']} failed, {counts['waiting'] - flying} to run"
    ]
    if counts["waiting"] > flying:
        lines[0] += f" (about {found.seconds:.0f} s of one core)"
    if flying:
        lines.append(f"  {flying} cells are left to jobs that were submitted before")
    for reason, number in session.plan.reasons().items():
        lines.append(f"  {number} cells cannot exist: {reason}")
    return "\n".join([*lines, *_launch.describe(found)])


def _document(session: Session, found: Estimate) -> dict[str, Any]:
    from harness.commands import _launch

    status = session.plan.status
    return {
        "task": session.task.name,
        "counts": session.plan.counts(),
        "seconds": found.seconds,
        "launch": _launch.document(found),
        "cells": [
            {"key": p.key, "train_key": p.train_key, "status": status.get(p.key, "waiting"),
             "cell": p.cell.plain()}
            for p in session.plan.cells
        ],
        "infeasible": [{"cell": c.plain(), "reason": r} for c, r in session.plan.infeasible],
    }  # fmt: skip
