"""Where a cell can have views of its support pictures, and how many samples they make."""

from __future__ import annotations

from harness.core.cells import Cell
from harness.plan.resolve import Setup
from harness.plan.samples import taken_of_smallest
from harness.sampling.support_views import CYCLE, rows_of_a_picture, use_of


def taken_rows(cell: Cell, setup: Setup) -> int | None:
    """How many samples of its smallest class a cell has; None if it trains on none."""
    taken = taken_of_smallest(cell, setup)
    return None if taken is None else taken * rows_of_a_picture(cell)


def why_no_views(cell: Cell, setup: Setup) -> str | None:
    """Why there are no such views, or None."""
    if cell.support_views is None:
        return None
    kind = setup.dataset.kind
    if kind != "pictures":
        has = "videos" if kind == "clips" else "features and no pictures"
        return f"support_views: crops are drawn of pictures, and {cell.dataset} has {has}"
    if use_of(cell) == CYCLE and setup.solver.plugin.CONVEX:
        return (
            f"support_views: use: cycle reads another view in every epoch, and solver "
            f"{setup.solver.choice} has no epochs: pool or mean"
        )
    return None
