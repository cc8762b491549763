"""Where rows can be orthogonal: as many classes as dimensions at most."""

from __future__ import annotations

from harness.core.facts import CellFacts


def needs_room(facts: CellFacts, what: str) -> str | None:
    """Why `what` cannot have linearly independent rows for this many classes; None if it can."""
    n_classes, dim = facts.n_classes, facts.encoder.dim
    if n_classes <= dim:
        return None
    return f"{what} needs at most as many classes as dimensions: {n_classes} > {dim}"
