"""Say what a task would run, without running it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.commands._session import Session

HELP = "show the cells of a task, which are done and which cannot exist"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_json_argument, add_task_arguments

    add_task_arguments(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.commands._session import open_session

    session = open_session(args)
    print(json.dumps(_document(session), indent=1) if args.json else describe(session))
    return 0


def describe(session: Session) -> str:
    """The plan in words."""
    counts = session.plan.counts()
    lines = [
        f"{session.task.name}: {len(session.plan.cells)} cells, {counts['done']} done, "
        f"{counts['failed']} failed, {counts['waiting']} to run"
    ]
    if counts["waiting"]:
        lines[0] += f" (about {_estimate(session):.0f} s of one core)"
    for reason, number in session.plan.reasons().items():
        lines.append(f"  {number} cells cannot exist: {reason}")
    return "\n".join(lines)


def _estimate(session: Session) -> float:
    from harness.packs import guess

    return sum(guess(p.cell) for p in session.plan.missing())


def _document(session: Session) -> dict[str, Any]:
    status = session.plan.status
    return {
        "task": session.task.name,
        "counts": session.plan.counts(),
        "seconds": _estimate(session),
        "cells": [
            {"key": p.key, "train_key": p.train_key, "status": status.get(p.key, "waiting"),
             "cell": p.cell.plain()}
            for p in session.plan.cells
        ],
        "infeasible": [{"cell": c.plain(), "reason": r} for c, r in session.plan.infeasible],
    }  # fmt: skip
