"""Where the rows of a classifier can be texts that change while it trains."""

from __future__ import annotations

from harness.core.cells import Cell


def why_infeasible(cell: Cell, what: str) -> str | None:
    """Why the texts of a cell cannot change at every step; None if they can.

    `what` changes them, and begins the reason.
    """
    # Matching has no classifier: its head reads the texts themselves.
    if cell.paradigm is not None and cell.paradigm.name == "matching":
        return None
    # The rows of every other classifier are computed once, from texts or without them.
    if cell.classifier is None or cell.classifier.name != "text":
        return f"{what} needs classifier text or paradigm matching"
    if cell.schedule not in (None, "frozen"):
        return f"{what} replaces the classifier at every step, so its schedule is frozen"
    return None
