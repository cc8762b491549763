"""The means of a table as a table of their own, for what reads tables."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.table import Table
from harness.report.model.units import UNIT_AXES


def mean_table(table: Table) -> Table | None:
    """The table whose columns are the means over data sets; None where there are none."""
    found = table.average
    if found is None:
        return None
    return replace(
        table,
        column_axes=tuple(a for a in table.column_axes if a not in UNIT_AXES),
        columns=found.columns,
        entries=found.entries,
        verdicts=found.verdicts,
        draws=(),
        within=(),
        notes=(),
    )


def mean_titles(table: Table) -> tuple[str, ...]:
    """What the columns of means are called beside those of single data sets."""
    found = table.average
    return () if found is None else tuple(u.title(c) for c, u in found.units.items())
