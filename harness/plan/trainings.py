"""Seconds of trainings that run a tower in every step, from operations and speeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.core.cells import Cell
from harness.core.hardware import Hardware
from harness.plan.needs import read_seconds
from harness.plan.operations import Operations, operations_of, runs_tower
from harness.plan.resolve import ResolvedCell
from harness.plan.speeds import Speed, Speeds


@dataclass(frozen=True)
class BackboneSeconds:
    """The seconds of a cell on the devices of one training, and the speed that they follow from."""

    training: float
    evaluation: float
    speed: Speed


def backbone_seconds(
    cells: Iterable[ResolvedCell], speeds: Speeds, hardware: Hardware
) -> dict[Cell, BackboneSeconds]:
    """Of every cell that runs a tower. Cells of one training share its seconds."""
    found = [resolved for resolved in cells if runs_tower(resolved)]
    sharing = Counter(resolved.train_key for resolved in found)
    known: dict[Any, BackboneSeconds] = {}  # cells that differ in their seed take as long
    seconds: dict[Cell, BackboneSeconds] = {}
    for resolved in found:
        like = id(resolved.setup), replace(resolved.cell, seed=None)
        if like not in known:
            known[like] = _seconds(resolved, speeds(resolved.cell, hardware), hardware)
        whole = known[like]
        shared = whole.training / sharing[resolved.train_key]
        seconds[resolved.cell] = replace(whole, training=shared)
    return seconds


def _seconds(resolved: ResolvedCell, speed: Speed, hardware: Hardware) -> BackboneSeconds:
    work: Operations = operations_of(resolved, hardware.processes)
    cell, setup = resolved.cell, resolved.setup
    read = read_seconds(cell.dataset, setup.dataset) * work.trained_images
    tested = cell.test_dataset or cell.dataset
    read_to_test = read_seconds(tested, setup.test_dataset) * work.tested_images
    return BackboneSeconds(
        _elapsed(work.trained / speed.operations_per_s, read, hardware),
        _elapsed(work.tested / speed.operations_per_s, read_to_test, hardware),
        speed,
    )


def _elapsed(computed: float, read: float, hardware: Hardware) -> float:
    """Seconds until `computed` seconds of one device and `read` seconds of one core have passed.

    The cores of a process read ahead of its GPU, so the slower of both counts. A cell on the CPU
    has one core for both.
    """
    if hardware.device == "cpu":
        return (computed + read) / hardware.processes
    return max(computed, read / hardware.cores) / hardware.processes
