"""Say how far a task is, or every task of the runs folder: from Records, and from SLURM's queue."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.commands._session import Session
    from harness.launch.slurm.inflight import Flight, Flights
    from harness.plan.plan import Planned

HELP = "how far a task is; exit code 3 while cells are missing"
INCOMPLETE = 3
WATCH_SECONDS = 2.0
#: Lines of a job's log that are shown.
TAIL = 10
KEYS_SHOWN = 3
STATES = ("done", "failed", "waiting", "running", "lost")


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import (
        add_embedded_argument,
        add_folder_arguments,
        add_json_argument,
    )

    parser.add_argument(
        "task", nargs="?", help="a YAML file or a name; without it every task that was run"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    add_embedded_argument(parser)
    add_folder_arguments(parser)
    add_json_argument(parser)
    parser.add_argument("--watch", action="store_true", help="again until nothing is missing")


def run(args: Namespace) -> int:
    import sys
    import time

    told, code = _once(args)
    shown = ""
    while True:
        if told != shown:
            clear = "\033[2J\033[H" if shown and sys.stdout.isatty() else ""
            print(clear + told, flush=True)
        if not args.watch or code != INCOMPLETE:
            return code
        time.sleep(WATCH_SECONDS)
        shown = told
        told, code = _once(args)


def _once(args: Namespace) -> tuple[str, int]:
    """One look at one task, or at all: what to print, and the exit code."""
    import json

    from harness.commands._session import open_session

    names = [args.task] if args.task else _ran(args)
    sessions = [
        open_session(Namespace(**{**vars(args), "task": name}), as_run=not args.overrides)
        for name in names
    ]
    documents = [_document(session) for session in sessions]
    if args.json:
        told = json.dumps(documents[0] if args.task else documents, indent=1)
    else:
        told = "\n".join(line for document in documents for line in _lines(document))
    counts = [d["counts"] for d in documents]
    if any(c["waiting"] or c["running"] or c["lost"] for c in counts):
        return told, INCOMPLETE
    return told, 1 if any(c["failed"] for c in counts) else 0


def _ran(args: Namespace) -> list[str]:
    return sorted(path.parent.name for path in args.runs.glob("*/task.yaml"))


def _document(session: Session) -> dict[str, Any]:
    from harness.launch.slurm.inflight import look

    done = {key for key, status in session.plan.status.items() if status == "done"}
    flights = look(session.store, (p.key for p in session.plan.cells), done)
    tails: dict[str, list[str]] = {}
    cells = [_cell(session, p, flights, tails) for p in session.plan.cells]
    found = [cell["status"] for cell in cells]
    counts = {state: found.count(state) for state in STATES}
    document = {
        "task": session.task.name,
        "counts": counts | {"infeasible": len(session.plan.infeasible)},
        "cells": cells,
    }
    return document | ({"problem": flights.problem} if flights.problem else {})


def _cell(
    session: Session, planned: Planned, flights: Flights, tails: dict[str, list[str]]
) -> dict[str, Any]:
    """What is known of a cell. A job is named where the cell has one that matters: it is on its
    way, was lost, or failed.
    """
    key, store = planned.key, session.store
    status = session.plan.status.get(key, "waiting")
    flight = flights.of.get(key)
    if flight is not None:
        if flight.job.live and not flight.pack.is_over(key, store):
            status = "waiting" if flight.job.waiting else "running"
        elif status == "waiting" and flight.pack.is_over(key, store):  # it ended meanwhile
            status = store.statuses([key]).get(key, "waiting")
        elif status == "waiting" and flights.problem is None:
            status = "lost"
    found: dict[str, Any] = {"key": key, "status": status, "cell": planned.cell.plain()}
    if status == "failed":
        record = store.read(key)
        error = (record.error if record else None) or {}
        found["reason"] = f"{error.get('type')}: {error.get('message')}"
    if flight is not None and status != "done":
        found.setdefault("reason", flights.problem or str(flight.job))
        if flight.pack.id not in tails:
            tails[flight.pack.id] = flight.tail(TAIL)
        found |= _job(flight, tails[flight.pack.id])
    return found


def _job(flight: Flight, tail: list[str]) -> dict[str, Any]:
    return {
        "pack": flight.pack.id,
        "job": flight.job.id or None,
        "state": flight.job.state,
        "node": flight.job.node or None,
        "submitted": flight.pack.submitted,
        "log": str(flight.log) if flight.log else None,
        "tail": tail,
    }


def _lines(document: Mapping[str, Any]) -> list[str]:
    """Counts, a line for each failed cell, and for the others one for each pack and state."""
    counts = ", ".join(f"{n} {state}" for state, n in document["counts"].items())
    lines = [f"{document['task']}: {counts}"]
    if "problem" in document:
        lines.append(f"  SLURM cannot be asked: {document['problem']}")
    packs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in document["cells"]:
        if cell["status"] == "failed":
            lines.append(f"  failed {cell['key']}: {cell['reason']}")
        elif "pack" in cell:
            packs.setdefault((cell["status"], cell["pack"]), []).append(cell)
    for (status, _), cells in packs.items():
        keys = " ".join(cell["key"] for cell in cells[:KEYS_SHOWN])
        more = f" and {len(cells) - KEYS_SHOWN} more" if len(cells) > KEYS_SHOWN else ""
        lines.append(f"  {status}: {cells[0]['reason']}: {keys}{more}")
        tail = [line for line in cells[0]["tail"] if not line.startswith("srun:")]
        if status in ("running", "lost") and tail:
            lines.append(f"    {cells[0]['log']}: {tail[-1]}")
    return lines
