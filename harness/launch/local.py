"""Cells in a pool of processes on this machine, through submitit's local executor.

The same path as a cluster's: a pack is a file that holds the task as it was submitted and the
keys of its cells, and a job is a plain function that reads it. Only a Record says that a cell is
done.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.cache import write_atomically
from harness.packs import Pack, packs
from harness.plan import Planned
from harness.runner import Events
from harness.schema import Task
from harness.store import Store
from harness.task import as_yaml
from harness.training.threads import cores

POLL_SECONDS = 0.25
TIMEOUT_MINUTES = 24 * 60


def launch(
    cells: Sequence[Planned], store: Store, task: Task, jobs: int | None, events: Events
) -> list[str]:
    """Run to the end, at most `jobs` packs at once. Returns a complaint for every job that ended
    without the Records of its cells, with the place of its log.
    """
    jobs = jobs or cores()
    waiting = packs(cells, jobs)
    running: list[tuple[Any, Pack]] = []
    old = {p.key: _stamp(store, p.key) for p in cells}
    seen: set[str] = set()
    complaints: list[str] = []
    events.ready()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                pack = waiting.pop(0)
                running.append((_submit(pack, store, task), pack))
            time.sleep(POLL_SECONDS)
            _tell(cells, store, old, seen, events)
            for job, pack in [(j, p) for j, p in running if j.done()]:
                running.remove((job, pack))
                complaints += _complaint(job, pack, store, old)
    except BaseException:
        for job, _ in running:
            job.cancel(check=False)
        raise
    _tell(cells, store, old, seen, events)
    return complaints


def run_pack(pack_file: str, runs: str) -> None:
    """What a job does: the cells that its file names."""
    from harness.grid import expand
    from harness.plan import make_plan
    from harness.runner import run_cells
    from harness.task import validate
    from harness.yaml_border import parse

    pack = json.loads(Path(pack_file).read_text(encoding="utf-8"))
    store = Store(Path(runs), pack["replacing"])
    task = validate(parse(pack["task"], pack_file), pack_file)
    plan = make_plan(expand(task), store)
    wanted = set(pack["keys"])
    plan.run_again([*store.replacing, *(p.key for p in plan.failed())])
    missing = [p for p in plan.missing() if p.key in wanted]
    run_cells(missing, store, save=task.save == "last")


def _submit(pack: Pack, store: Store, task: Task) -> Any:
    import submitit

    name = f"{int(time.time())}-{os.urandom(4).hex()}"
    pack_file = store.root / "jobs" / f"{name}.json"
    content = {
        "id": name,
        "pid": os.getpid(),
        "keys": [p.key for p in pack.cells],
        "replacing": sorted(store.replacing.intersection(p.key for p in pack.cells)),
        "task": as_yaml(task),
    }
    data = json.dumps(content).encode()
    write_atomically(pack_file, lambda f: f.write(data))
    logs = store.root / "logs" / name
    executor = submitit.LocalExecutor(folder=logs)
    executor.update_parameters(timeout_min=TIMEOUT_MINUTES)
    with _stderr_in(logs / "controller.log"):
        return executor.submit(run_pack, str(pack_file.resolve()), str(store.root.resolve()))


@contextmanager
def _stderr_in(log: Path) -> Iterator[None]:
    """Submitit's controlling process inherits standard error: what it says at Ctrl-C is for the
    log, not for the user.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    try:
        with log.open("ab") as handle:
            os.dup2(handle.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _tell(
    cells: Sequence[Planned],
    store: Store,
    old: Mapping[str, float | None],
    seen: set[str],
    events: Events,
) -> None:
    for planned in cells:
        key = planned.key
        if key not in seen and _changed(store, key, old) and (record := store.read(key)):
            seen.add(key)
            events.cell(planned, record.status)


def _stamp(store: Store, key: str) -> float | None:
    path = store.path(key)
    return path.stat().st_mtime_ns if path.exists() else None


def _changed(store: Store, key: str, old: Mapping[str, float | None]) -> bool:
    """Whether a Record was written since the jobs began: an old one may be there to be replaced."""
    return _stamp(store, key) != old[key]


def _complaint(job: Any, pack: Pack, store: Store, old: Mapping[str, float | None]) -> list[str]:
    left = [p for p in pack.cells if not _changed(store, p.key, old)]
    if not left:
        return []
    lines = (job.stderr() or "").strip().splitlines()
    why = lines[-1] if lines else "it said nothing"
    return [f"a job left {len(left)} of {len(pack.cells)} cells: {why} (log: {job.paths.stderr})"]
