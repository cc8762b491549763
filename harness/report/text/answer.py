"""The answer in at most three sentences, computed from the contrasts and the judged claims.

A difference that is not significant is never called equality. What is decided and undecided in each
column stands in the tables of the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.claims import JudgedClaim
from harness.report.model.harmonic import harmonic_table
from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.report.text import one_column, over_columns
from harness.report.text.average import average_lead
from harness.report.text.claimed import claims_sentence
from harness.report.text.within import within_sentence

MOST_SENTENCES = 3
HARMONIC = "in H, the harmonic mean of base and new,"


def answer(table: Table, claims: Sequence[JudgedClaim] = ()) -> str:
    """`claims` about something else than accuracy, H of base and new, the means over data sets, the
    columns, and what `report.within` changes, where there are such; what is incomplete belongs to
    the last.
    """
    said = _sentences(table, claims)
    if rest := _incomplete(table):
        said = [*said[:-1], f"{said[-1][:-1]}; {rest}."] if said else [f"{rest}."]
    return f" {' '.join(said)}" if said else " Nothing can be compared yet."


def _sentences(table: Table, claims: Sequence[JudgedClaim]) -> list[str]:
    """At most MOST_SENTENCES: of more, single columns are left out first, then `report.within`."""
    claimed, means = claims_sentence(claims), _of_means(table)
    harmonic = _of_harmonic(table)
    columns = _of_columns(table, "in accuracy," if claimed or harmonic else "")
    within = within_sentence(table)
    said = [s for s in (claimed, harmonic, means, columns, within) if s]
    for least in (columns, within):
        if len(said) > MOST_SENTENCES and least in said:
            said.remove(least)
    return said[:MOST_SENTENCES]


def _of_harmonic(table: Table) -> str:
    """Base-to-new studies ask about both sides at once."""
    found = harmonic_table(table)
    return "" if found is None else _of_columns(found, HARMONIC)


def _of_means(table: Table) -> str:
    """The means over data sets come before columns: they are what most readers look for."""
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


def _of_columns(table: Table, lead: str = "") -> str:
    if table.draws:
        return over_columns.over_draws(table)
    if table.reference is not None:
        told = [c for c in table.columns if any(a.column == c for a in table.against)]
        if len(told) == 1:
            return one_column.with_reference(table, told[0], lead)
        return over_columns.against_reference(table, lead) if told else ""
    told = [c for c in table.columns if any((r, c) in table.entries for r in table.rows)]
    if len(told) == 1:
        return one_column.best(table, told[0], lead)
    return over_columns.highest(table, lead)


def _incomplete(table: Table) -> str:
    incomplete = sum(e.blocks for e in table.entries.values())
    if not incomplete:
        return ""
    rest = "is incomplete; its column has" if incomplete == 1 else (
        "are incomplete; their columns have")  # fmt: skip
    return f"{incomplete} of {len(table.entries)} entries {rest} no ranks"
