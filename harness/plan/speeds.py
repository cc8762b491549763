"""How fast devices train a backbone: learnt from Records, else from a table of GPUs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from harness.core.cells import Cell
from harness.core.hardware import Hardware
from harness.core.rates import computed_precision
from harness.plan.measured import Measured

#: Part of its peak that a GPU sustains in training, by precision: matrix products on tensor cores
#: wait for memory more often. Cautious; with Records of this machine it is not used.
UTILISATION = {"float32": 0.6, "tf32": 0.3, "bfloat16": 0.3}
#: A GPU of which nothing is known counts as this one.
UNKNOWN_GPU = "V100"
#: Operations per second of one core.
CORE_SPEED = 6e10
#: Least seconds of training from which a speed is learnt: shorter ones are mostly overhead.
LEAST_SECONDS = 10.0


@dataclass(frozen=True)
class Speed:
    """Operations per second of one device, and where the number is from."""

    operations_per_s: float
    source: str

    def __str__(self) -> str:
        return f"{self.operations_per_s / 1e12:.2g} TFLOP/s ({self.source})"


@dataclass(frozen=True)
class Speeds:
    """Operations per second of one device that Records tell, by device, encoder and precision."""

    learned: dict[Any, float] = field(default_factory=dict)

    def __call__(self, cell: Cell, hardware: Hardware) -> Speed:
        """That of earlier trainings of the same encoder in the same precision on such a device,
        else the table's.
        """
        precision = cell.recipe.precision if cell.recipe else "float32"
        device = _device(hardware.name if hardware.device != "cpu" else "cpu")
        precision = computed_precision(precision, device)
        measured = self.learned.get((device, cell.encoder, precision))
        if measured is not None:
            return Speed(measured, f"learnt from Records on {device}")
        if hardware.device == "cpu":
            return Speed(CORE_SPEED, "assumed for a core")
        return _stated(device, precision)


def learn_speeds(measured: Iterable[Measured]) -> Speeds:
    """The speeds that Records with a trained backbone tell."""
    operations: dict[Any, float] = {}
    seconds: dict[Any, float] = {}
    for each in measured:
        if not each.cell.tunes_backbone or each.cell.recipe is None or not each.operations:
            continue
        if each.cell.text_tower == "online" or _learns_context(each.cell):
            continue  # their seconds are those of texts too, which `operations` leaves out
        device = _device(each.device)
        key = (device, each.cell.encoder, computed_precision(each.cell.recipe.precision, device))
        operations[key] = operations.get(key, 0.0) + each.operations
        seconds[key] = seconds.get(key, 0.0) + each.trained * each.processes
    return Speeds({k: operations[k] / s for k, s in seconds.items() if s >= LEAST_SECONDS})


def _learns_context(cell: Cell) -> bool:
    return cell.prompt is not None and cell.prompt.name == "learnable"


def _stated(device: str, precision: str) -> Speed:
    """By the table."""
    peaks = _table()
    gpu = device if device in peaks else UNKNOWN_GPU
    # Tensor cores are as fast in both 16-bit precisions.
    kind = "bfloat16" if precision == "float16" else precision
    peak = peaks[gpu].get(kind, peaks[gpu]["float32"])
    share = UTILISATION[kind]
    if peak == peaks[gpu]["float32"]:  # no tensor cores for it
        share = UTILISATION["float32"]
    source = f"stated for {gpu}" if gpu == device else f"as of {gpu}: the GPU is not known"
    return Speed(peak * share * 1e12, f"{source}, {precision}")


def _device(name: str | None) -> str:
    """A device by the name that the table has for it, else by its own."""
    if name is None:
        return "unknown"
    known = sorted(_table(), key=len, reverse=True)  # L40S before L40
    found = (gpu for gpu in known if re.search(rf"(?<!\d){gpu}(?!\d)", name, re.IGNORECASE))
    return next(found, name)


@cache
def _table() -> dict[str, dict[str, float]]:
    """GPU -> precision -> peak TFLOP/s."""
    text = resources.files("harness.plan").joinpath("gpu_speeds.json").read_text(encoding="utf-8")
    peaks: dict[str, dict[str, float]] = json.loads(text)["peak_tflops"]
    return peaks
