"""A Record says where a declared precision is not that of its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.training.numerics import TF32, has_tf32

if TYPE_CHECKING:
    import torch


def precision_warnings(cell: Cell, torch_device: torch.device) -> tuple[str, ...]:
    """What a cell declares in TF32 is computed in float32 on a device that has no TF32."""
    keys = [key for key, precision in _declared(cell) if precision == TF32]
    if not keys or has_tf32(torch_device):
        return ()
    where = "the CPU" if torch_device.type == "cpu" else "this GPU"
    return (f"{' and '.join(keys)}: tf32 was computed in float32, as {where} has no TF32",)


def _declared(cell: Cell) -> Iterator[tuple[str, str]]:
    """The keys of a task that name a precision, with the values of a cell."""
    yield "feature_precision", cell.feature_precision
    if cell.recipe is not None:
        yield "recipe.precision", cell.recipe.precision
        yield "recipe.evaluation", cell.recipe.evaluation
