"""Show the progress of a task, or of all tasks of the runs folder, from Records and the queue."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.protocols.launcher import CellJob, JobReport
    from harness.plan.resolve import ResolvedCell
    from harness.study import Study

HELP = "show the progress of a task; exit code 3 while cells are missing"
INCOMPLETE = 3
WATCH_SECONDS = 2.0
KEYS_SHOWN = 3
STATES = ("done", "failed", "waiting", "running", "lost")


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import (
        add_embedded_argument,
        add_folder_arguments,
        add_json_argument,
    )

    parser.add_argument(
        "task", nargs="?", help="a YAML file or a name; without it, all tasks that were run"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    add_embedded_argument(parser)
    add_folder_arguments(parser)
    add_json_argument(parser)
    parser.add_argument("--watch", action="store_true", help="repeat until no cell is missing")


def run(args: Namespace) -> int:
    import sys
    import time

    text, code = _once(args)
    shown = ""
    while True:
        if text != shown:
            clear = "\033[2J\033[H" if shown and sys.stdout.isatty() else ""
            print(clear + text, flush=True)
        if not args.watch or code != INCOMPLETE:
            return code
        time.sleep(WATCH_SECONDS)
        shown = text
        text, code = _once(args)


def _once(args: Namespace) -> tuple[str, int]:
    """The output for one task or for all, and the exit code."""
    import json

    from harness.commands._studies import study_of

    names = [args.task] if args.task else _ran(args)
    documents = [_document(study_of(args, name, as_run=True)) for name in names]
    if args.json:
        text = json.dumps(documents[0] if args.task else documents)  # compact: it may be long
    else:
        text = "\n".join(line for document in documents for line in _lines(document))
    counts = [d["counts"] for d in documents]
    if any(c["waiting"] or c["running"] or c["lost"] for c in counts):
        return text, INCOMPLETE
    return text, 1 if any(c["failed"] for c in counts) else 0


def _ran(args: Namespace) -> list[str]:
    return sorted(path.parent.name for path in args.runs.glob("*/task.yaml"))


def _document(study: Study) -> dict[str, Any]:
    from harness.commands._studies import plan_of

    plan, report = plan_of(study), study.status()
    cells = [_cell(study, resolved, report) for resolved in plan.cells]
    statuses = [cell["status"] for cell in cells]
    counts = {state: statuses.count(state) for state in STATES}
    document = {
        "task": study.task.name,
        "counts": counts | {"infeasible": len(plan.infeasible)},
        "cells": cells,
    }
    if report.problem is None:
        return document
    return document | {"problem": report.problem, "launcher": report.launcher}


def _cell(study: Study, resolved: ResolvedCell, report: JobReport) -> dict[str, Any]:
    """The status of a cell, with its job if the cell is not done."""
    key, plan = resolved.key, study.plan()
    status = plan.status.get(key, "waiting")
    job = report.jobs.get(key)
    if job is not None:
        if job.live and not job.over:
            status = "waiting" if job.waiting else "running"
        elif status == "waiting" and job.over:  # it ended after the plan was made
            status = study.store.statuses([key]).get(key, "waiting")
        elif status == "waiting" and report.problem is None:
            status = "lost"
    document: dict[str, Any] = {"key": key, "status": status, "cell": resolved.cell.plain()}
    if status == "failed":
        record = study.store.read(key)
        error = (record.error if record else None) or {}
        document["reason"] = f"{error.get('type')}: {error.get('message')}"
    if job is not None and status != "done":
        document.setdefault("reason", report.problem or job.reason)
        document |= _job(job)
    return document


def _job(job: CellJob) -> dict[str, Any]:
    return {
        "pack": job.batch,  # users' scripts read this name
        "job": job.id,
        "state": job.state,
        "node": job.node,
        "submitted": job.submitted,
        "log": str(job.log) if job.log else None,
        "tail": list(job.tail),
    }


def _lines(document: Mapping[str, Any]) -> list[str]:
    """Counts, a line for each failed cell, and for other cells one for each batch and state."""
    counts = ", ".join(f"{n} {state}" for state, n in document["counts"].items())
    lines = [f"{document['task']}: {counts}"]
    if "problem" in document:
        queue = f"the queue of the launcher {document['launcher']}"
        lines.append(f"  {queue} cannot be read: {document['problem']}")
    batches: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in document["cells"]:
        if cell["status"] == "failed":
            lines.append(f"  failed {cell['key']}: {cell['reason']}")
        elif "pack" in cell:
            batches.setdefault((cell["status"], cell["pack"]), []).append(cell)
    for (status, _), cells in batches.items():
        keys = " ".join(cell["key"] for cell in cells[:KEYS_SHOWN])
        more = f" and {len(cells) - KEYS_SHOWN} more" if len(cells) > KEYS_SHOWN else ""
        lines.append(f"  {status}: {cells[0]['reason']}: {keys}{more}")
        tail = [line for line in cells[0]["tail"] if not line.startswith("srun:")]
        if status in ("running", "lost") and tail:
            lines.append(f"    {cells[0]['log']}: {tail[-1]}")
    return lines
