"""Say how far a task is, or every task of the runs folder, from their Records."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.commands._session import Session

HELP = "how far a task is; exit code 3 while cells are missing"
INCOMPLETE = 3
WATCH_SECONDS = 2.0


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments, add_json_argument

    parser.add_argument(
        "task", nargs="?", help="a YAML file or a name; without it every task that was run"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    add_folder_arguments(parser)
    add_json_argument(parser)
    parser.add_argument("--watch", action="store_true", help="again until nothing is missing")


def run(args: Namespace) -> int:
    import time

    code = _once(args)
    while args.watch and code == INCOMPLETE:
        time.sleep(WATCH_SECONDS)
        code = _once(args)
    return code


def _once(args: Namespace) -> int:
    """One look at one task, or at all."""
    import json

    from harness.commands._session import open_session

    names = [args.task] if args.task else _ran(args)
    sessions = [
        open_session(Namespace(**{**vars(args), "task": name}), as_run=not args.overrides)
        for name in names
    ]
    documents = [_document(session) for session in sessions]
    if args.json:
        print(json.dumps(documents[0] if args.task else documents, indent=1))
    else:
        for document in documents:
            _print(document)
    counts = [d["counts"] for d in documents]
    if any(c["waiting"] for c in counts):
        return INCOMPLETE
    return 1 if any(c["failed"] for c in counts) else 0


def _ran(args: Namespace) -> list[str]:
    return sorted(path.parent.name for path in args.runs.glob("*/task.yaml"))


def _document(session: Session) -> dict[str, Any]:
    cells = [_cell(session, p) for p in session.plan.cells]
    return {"task": session.task.name, "counts": session.plan.counts(), "cells": cells}


def _print(document: dict[str, Any]) -> None:
    counts = ", ".join(f"{n} {state}" for state, n in document["counts"].items())
    print(f"{document['task']}: {counts}")
    for cell in document["cells"]:
        if cell["status"] == "failed":
            print(f"  failed {cell['key']}: {cell['reason']}")


def _cell(session: Session, planned: Any) -> dict[str, Any]:
    status = session.plan.status.get(planned.key, "waiting")
    found: dict[str, Any] = {"key": planned.key, "status": status, "cell": planned.cell.plain()}
    if status == "failed":
        record = session.store.read(planned.key)
        error = (record.error if record else None) or {}
        found["reason"] = f"{error.get('type')}: {error.get('message')}"
    return found
