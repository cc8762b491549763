"""Say how far a task is, from its Records."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.commands._session import Session

HELP = "how far a task is; exit code 3 while cells are missing"
INCOMPLETE = 3


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_json_argument, add_task_arguments

    add_task_arguments(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.commands._session import open_session

    session = open_session(args)
    cells = [_cell(session, p) for p in session.plan.cells]
    counts = session.plan.counts()
    if args.json:
        print(json.dumps({"task": session.task.name, "counts": counts, "cells": cells}, indent=1))
    else:
        print(f"{session.task.name}: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
        for cell in cells:
            if cell["status"] == "failed":
                print(f"  failed {cell['key']}: {cell['reason']}")
    if counts["waiting"]:
        return INCOMPLETE
    return 1 if counts["failed"] else 0


def _cell(session: Session, planned: Any) -> dict[str, Any]:
    status = session.plan.status.get(planned.key, "waiting")
    found: dict[str, Any] = {"key": planned.key, "status": status, "cell": planned.cell.plain()}
    if status == "failed":
        record = session.store.read(planned.key)
        error = (record.error if record else None) or {}
        found["reason"] = f"{error.get('type')}: {error.get('message')}"
    return found
