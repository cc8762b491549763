"""What earlier Records tell of the seconds of cells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.core.cell_json import cell_from
from harness.core.cells import Cell
from harness.core.store import Store

#: Most Records that are read to estimate run times.
MOST_RECORDS_READ = 500


@dataclass(frozen=True)
class Measured:
    """A done cell and what it took."""

    cell: Cell
    seconds: float  # of training and evaluation
    trained: float  # of training alone
    operations: float = 0.0  # of training; 0: not counted
    device: str = "cpu"  # cpu, or the name of the GPU
    processes: int = 1  # that shared it


def measured_cells(store: Store) -> Iterator[Measured]:
    """The done cells of a store. Keys are hashes, so the first ones are a random sample."""
    read = 0
    for folder in sorted((store.root / "cells").glob("??")):
        for path in sorted(folder.glob("*.json")):
            if read == MOST_RECORDS_READ:
                return
            read += 1
            try:
                data = json.loads(path.read_bytes())
                done, measured = data["status"] == "done", _measured(data)
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue  # of another version, or damaged: Store reports it where it matters
            if done:
                yield measured


def _measured(data: dict[str, Any]) -> Measured:
    cost = data["cost"]
    return Measured(
        cell=cell_from(data["cell"]),
        seconds=float(cost["wall_s"]),
        trained=sum(float(point["seconds"]) for point in data.get("curve", ())),
        operations=float(cost.get("operations") or 0.0),
        device=str((data.get("environment") or {}).get("device") or "cpu"),
        processes=int(cost.get("processes") or 1),
    )
