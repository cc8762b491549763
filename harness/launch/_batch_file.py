"""RUNS/jobs/<id>.json: one pack as it was submitted. What jobs, `status` and `cancel` read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.files import write_atomically
from harness.core.store import Store
from harness.plan.batches import Pack
from harness.task.read import as_yaml
from harness.task.schema import Task


@dataclass(frozen=True)
class Terms:
    """How the packs of a submission are run."""

    launcher: str  # local | slurm
    threads: int = 1  # cells that are trained at once
    requeue: bool = True  # whether a job is begun again after preemption or at the end of its time
    logs: Sequence[str] = ()  # names in harness/logs/, told of every epoch
    profile: Mapping[str, Any] | None = None  # of the cluster, as it was then


@dataclass(frozen=True)
class PackFile:
    """A pack that was submitted. `submission` is the name of its SLURM job; packs that were
    submitted together are an array, and `index` is the place in it.
    """

    id: str
    submission: str
    index: int
    launcher: str
    submitted: float  # seconds since 1970
    task_name: str
    keys: tuple[str, ...]
    cells: tuple[Mapping[str, Any], ...]  # as Cell.plain()
    replacing: tuple[str, ...]  # done Records that are to be replaced
    old: Mapping[str, int]  # key -> stamp of a Record that was there before
    save: bool  # keep the trained weights
    threads: int
    requeue: bool
    logs: tuple[str, ...]

    def is_over(self, key: str, store: Store, done: Collection[str] = ()) -> bool:
        """Whether a Record of this cell was written since the pack was submitted."""
        if key in done and self.old.get(key) is None:
            return True  # there was none before
        return stamp(store, key) not in (None, self.old.get(key))


def stamp(store: Store, key: str) -> int | None:
    """Changes when a Record is written; None without one."""
    try:
        return store.path(key).stat().st_mtime_ns
    except OSError:
        return None


def new_submission(task: Task) -> str:
    """A name that no other submission has, on whatever cluster."""
    return f"{task.name}-{time.strftime('%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def path_of(store: Store, submission: str, index: int) -> Path:
    return store.root / "jobs" / f"{submission}-{index}.json"


def write_packs(
    packs: Sequence[Pack], store: Store, task: Task, submission: str, terms: Terms
) -> list[Path]:
    """Write the packs of one submission; their files, in the order of the array.

    Raises DiskFull or OutputError.
    """
    written = []
    for index, pack in enumerate(packs):
        path = path_of(store, submission, index)
        keys = [p.key for p in pack.cells]
        stamps = {key: stamp(store, key) for key in keys}
        content = {
            "id": path.stem,
            "submission": submission,
            "index": index,
            "submitted": time.time(),
            "pid": os.getpid(),
            "task_name": task.name,
            "save": task.save == "last",
            **asdict(terms),
            "task": as_yaml(task),
            "replacing": sorted(store.replacing.intersection(keys)),
            "old": {key: found for key, found in stamps.items() if found is not None},
            "keys": keys,
            "cells": [p.cell.plain() for p in pack.cells],
        }
        data = json.dumps(content).encode()
        write_atomically(path, lambda f, data=data: f.write(data))  # type: ignore[misc]
        written.append(path)
    return written


def read_packs(store: Store) -> list[PackFile]:
    """Every pack of a runs folder that can be read, in the order of submission."""
    found = []
    for path in (store.root / "jobs").glob("*.json"):
        try:
            found.append(parse(json.loads(path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of an older version, or taken away meanwhile
    return sorted(found, key=lambda p: (p.submitted, p.index))


def parse(data: Mapping[str, Any]) -> PackFile:
    """Raises KeyError for data of another version."""
    return PackFile(
        id=data["id"],
        submission=data["submission"],
        index=data["index"],
        launcher=data["launcher"],
        submitted=data["submitted"],
        task_name=data["task_name"],
        keys=tuple(data["keys"]),
        cells=tuple(data["cells"]),
        replacing=tuple(data["replacing"]),
        old=data["old"],
        save=data["save"],
        threads=data["threads"],
        requeue=data["requeue"],
        logs=tuple(data["logs"]),
    )
