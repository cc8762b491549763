"""RUNS/jobs/<id>.json: a batch of cells as submitted; read by jobs, `status` and `cancel`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.files import write_atomically
from harness.core.protocols.launcher import LaunchRequest
from harness.core.store import Store
from harness.plan.batches import Batch


@dataclass(frozen=True)
class JobSettings:
    """How the batches of a submission are run."""

    launcher: str  # local | slurm
    threads: int = 1  # cells that are trained at once
    requeue: bool = True  # whether a job starts again after preemption or at its time limit
    profile: Mapping[str, Any] | None = None  # of the cluster, as it was then


@dataclass(frozen=True)
class BatchFile:
    """A batch that was submitted. `submission` is the name of its SLURM job; batches that were
    submitted together are one job array, and `index` is the index of this batch in it.
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
    logs: tuple[str, ...]  # names in harness/logs/
    measures: tuple[str, ...]  # measures beyond those of harness/measures/
    workers: int | None = None  # processes that read data ahead (loader.workers)
    grace: float = 90  # seconds between the warning and the end of a job

    def is_over(self, key: str, store: Store, done: Collection[str] = ()) -> bool:
        """Whether a Record of this cell was written since the batch was submitted."""
        if key in done and self.old.get(key) is None:
            return True  # its Record cannot be an older one: there was none at submission
        return stamp(store, key) not in (None, self.old.get(key))


def stamp(store: Store, key: str) -> int | None:
    """A number that changes when a Record is written; None without a Record."""
    try:
        return store.path(key).stat().st_mtime_ns
    except OSError:
        return None


def new_submission(task_name: str) -> str:
    """A name that no other submission has, on any cluster."""
    return f"{task_name}-{time.strftime('%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def path_of(store: Store, submission: str, index: int) -> Path:
    return store.root / "jobs" / f"{submission}-{index}.json"


def write_batches(
    batches: Sequence[Batch], request: LaunchRequest, submission: str, settings: JobSettings
) -> list[Path]:
    """Write the batches of one submission; their files, in the order of the job array.

    Raises DiskFull or OutputError.
    """
    store = request.store
    paths = []
    for index, batch in enumerate(batches):
        path = path_of(store, submission, index)
        keys = [c.key for c in batch.cells]
        stamps = {key: stamp(store, key) for key in keys}
        content = {
            "id": path.stem,
            "submission": submission,
            "index": index,
            "submitted": time.time(),
            "pid": os.getpid(),
            "task_name": request.task_name,
            "save": request.save,
            "workers": request.workers,
            **asdict(settings),
            "logs": list(request.logs),
            "measures": list(request.measures),
            "task": request.task_yaml,
            "replacing": sorted(store.replacing.intersection(keys)),
            "old": {key: value for key, value in stamps.items() if value is not None},
            "keys": keys,
            "cells": [c.cell.plain() for c in batch.cells],
        }
        data = json.dumps(content).encode()
        write_atomically(path, lambda f, data=data: f.write(data))  # type: ignore[misc]
        paths.append(path)
    return paths


def read_batches(store: Store) -> list[BatchFile]:
    """Every batch of a runs folder that can be read, in the order of submission."""
    batches = []
    for path in (store.root / "jobs").glob("*.json"):
        try:
            batches.append(parse(json.loads(path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of another version, or removed meanwhile
    return sorted(batches, key=lambda b: (b.submitted, b.index))


def parse(data: Mapping[str, Any]) -> BatchFile:
    """Raises KeyError for data of another version."""
    return BatchFile(
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
        measures=tuple(data.get("measures", ())),  # files of earlier versions have none
        workers=data.get("workers"),
        grace=(data.get("profile") or {}).get("grace", 90),
    )
