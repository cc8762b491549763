"""After a cell its tensors are free: the next one has the memory of the GPU."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.core.cells import Cell

if TYPE_CHECKING:
    import torch


def release(cells: Iterable[Cell], torch_device: torch.device, *, failed: bool) -> None:
    """What compiled functions keep; and on a GPU what cycles of references keep: the error of a
    failed cell has the frames of its traceback, and these have the model. A head or a projection
    that was trained leaves nothing, and to look for it takes as long as to train one.
    """
    tuned = [cell.recipe for cell in cells if cell.tunes_backbone and cell.recipe is not None]
    if any(recipe.compile for recipe in tuned):
        import torch

        torch.compiler.reset()
    if torch_device.type == "cuda" and (tuned or failed):
        gc.collect()
