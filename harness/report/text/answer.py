"""The answer in at most three sentences, computed from the contrasts.

A difference that is not significant is never called equality. What is decided and undecided in each
column stands in the tables of the page.
"""

from __future__ import annotations

from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.report.text import one_column, over_columns
from harness.report.text.average import average_lead
from harness.report.text.within import within_sentence


def answer(table: Table) -> str:
    """The means over data sets, the columns, and what `report.within` changes, where there are
    such; what is incomplete belongs to the last.
    """
    sentences = [_of_means(table), _of_columns(table), within_sentence(table)]
    said = [s for s in sentences if s]
    if rest := _incomplete(table):
        said = [*said[:-1], f"{said[-1][:-1]}; {rest}."] if said else [f"{rest}."]
    return f" {' '.join(said)}" if said else " Nothing can be compared yet."


def _of_means(table: Table) -> str:
    """The means over data sets come first: they are what most readers look for."""
    means = mean_table(table)
    if means is None:
        return ""
    first = means.columns[0]
    if len(means.columns) == 1:
        say = one_column.best if means.reference is None else one_column.with_reference
        return say(means, first, average_lead(table, first))
    lead = average_lead(table, first)
    if means.reference is None:
        return over_columns.highest(means, lead)
    return over_columns.against_reference(means, lead)


def _of_columns(table: Table) -> str:
    if table.draws:
        return over_columns.over_draws(table)
    if table.reference is not None:
        told = [c for c in table.columns if any(a.column == c for a in table.against)]
        if len(told) == 1:
            return one_column.with_reference(table, told[0])
        return over_columns.against_reference(table) if told else ""
    told = [c for c in table.columns if any((r, c) in table.entries for r in table.rows)]
    return one_column.best(table, told[0]) if len(told) == 1 else over_columns.highest(table)


def _incomplete(table: Table) -> str:
    incomplete = sum(e.blocks for e in table.entries.values())
    if not incomplete:
        return ""
    rest = "is incomplete; its column has" if incomplete == 1 else (
        "are incomplete; their columns have")  # fmt: skip
    return f"{incomplete} of {len(table.entries)} entries {rest} no ranks"
