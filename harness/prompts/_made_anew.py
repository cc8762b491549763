"""Where a classifier can be made anew from texts at every iteration."""

from __future__ import annotations

from harness.core.cells import Cell


def reason_against(cell: Cell, what: str) -> str | None:
    """Why the cell cannot have texts that change while it trains."""
    if cell.paradigm.name == "matching":
        return None
    if cell.classifier is None or cell.classifier.name != "text":
        return f"{what} needs classifier text or paradigm matching"
    if cell.schedule not in (None, "frozen"):
        return f"{what} makes the classifier anew, so its schedule is frozen"
    return None
