"""What modules over time inside the backbone need of a cell."""

from __future__ import annotations

from harness.core.cells import Cell
from harness.core.facts import CellFacts


def needs_backbone(cell: Cell, facts: CellFacts, name: str, tower: str) -> str | None:
    """Why a module that changes towers of this kind cannot be put into the cell's encoder.

    None if it can.
    """
    if facts.encoder.tower != tower:
        return f"{name} needs a {tower} tower, and that of {cell.encoder} is not one"
    was_trained = cell.tuning == "none" and cell.method is None and "inserted" in facts.restored
    if cell.tuning not in ("all", "norm", "bias") and not was_trained:
        return f"{name} changes the backbone, so it needs tuning: all (or norm, or bias)"
    return None
