"""Where rows can be orthogonal: as many classes as dimensions at most."""

from __future__ import annotations

from harness.core.cells import Cell
from harness.core.facts import CellFacts


def width_of(cell: Cell, facts: CellFacts) -> int:
    """How wide a row is that is not made of texts: as the features that the head reads."""
    on_backbone = cell.head is not None and cell.head.on == "backbone"
    return facts.encoder.feature_dim if on_backbone else facts.encoder.dim


def needs_room(facts: CellFacts, what: str, width: int | None = None) -> str | None:
    """Why `what` cannot have linearly independent rows for this many classes; None if it can.

    `width` is that of a row, by default that of the embedding.
    """
    n_classes, dim = facts.n_classes, facts.encoder.dim if width is None else width
    if n_classes <= dim:
        return None
    return f"{what} needs at most as many classes as dimensions: {n_classes} > {dim}"
