"""What a page says of pairs of rows that share the variance of seeds."""

from __future__ import annotations

from harness.report.model.harmonic import harmonic_table
from harness.report.model.labels import Column
from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.stats.moderated import LEAST_PAIRS, shares_seed_variance


def sharing_columns(table: Table) -> list[Column]:
    """The columns whose pairs share the variance of seeds; those of means are another table's."""
    return [
        column
        for column in table.columns
        if shares_seed_variance([c.contrast for c in table.verdicts.of(column)])
    ]


def shared_variance(table: Table, of: str = "") -> str:
    """In which columns pairs share the variance of seeds, in a sentence; nothing without any. `of`
    says which columns, as `of means`.
    """
    found, columns = len(sharing_columns(table)), len(table.columns)
    if not found:
        return ""
    which = f" {of}" if of else ""
    where = f"The pairs of a column{which} share"
    if found < columns:
        where = f"In {found} of {columns} columns{which} the pairs share"
    return f"{where} the variance of seeds, as there are at least {LEAST_PAIRS} of them."


def any_share(table: Table) -> bool:
    """Whether pairs share the variance of seeds in any column, of means or of H."""
    found = (table, mean_table(table), harmonic_table(table))
    return any(sharing_columns(of) for of in found if of is not None)
