"""What a report says of means over data sets: what they generalise to, and by which test."""

from __future__ import annotations

from harness.core.words import plural
from harness.report.model.average import Average, friedman_of
from harness.report.model.contrasts import REFERENCE
from harness.report.model.labels import Column
from harness.report.model.mean_rows import NEW
from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.report.model.units import Units
from harness.report.text.notes import NOT_ADJUSTED
from harness.report.text.numbers import DOWN, UP, equals, percent, span
from harness.report.text.prose import escape, listing
from harness.report.text.shared_variance import shared_variance
from harness.stats.holm import ALPHA
from harness.stats.over_sets import CORRECTED, WILCOXON


def average_lead(table: Table, column: Column) -> str:
    """How a sentence of the answer begins: which mean, and over what."""
    found = table.average
    assert found is not None
    units = found.units[column]
    if found.kind == NEW:
        of = f" (of {units.datasets} data sets)" if units.kind != units.noun else ""
        return f"over {units.kind} like these {len(units.of)}{of},"
    return f"in the mean of these {len(units.of)} {units.noun},"


def average_caption(table: Table) -> str:
    """What the columns of means are; nothing without any."""
    found = table.average
    if found is None:
        return ""
    units = list(found.units.values())
    sizes = span(len(u.of) for u in units)
    text, what = f"Means over {found.noun} (report.average: {found.kind})", found.kinds
    if found.kind == NEW:
        text += (
            f": the {what} are the sample, so the means are about other {what} of their kind. "
            f"M = {sizes} {found.noun}, with one value of each, the mean over its seeds; in "
            "brackets a t interval over them."
        )
    else:
        text += (
            f": M = {sizes} {found.noun} with equal weights, as a fixed benchmark; nothing is said "
            f"about other {what}. The intervals combine the errors of seeds and of the test items "
            f"of all {what} (two-way random effects; a seed is the same on all of them)."
        )
    if found.verdicts.ranks:
        text += " Bold and (a-b) are as in the other columns, from all pairs of rows."
    elif found.verdicts.marks:
        text += f" {UP} and {DOWN} are as in the other columns."
    draws = _of_draws(units[0], new=found.kind == NEW)
    means = mean_table(table)
    shared = "" if means is None else shared_variance(means, "of means")
    return " ".join(s for s in (text, draws, *_test(found), shared) if s)


def _of_draws(units: Units, *, new: bool) -> str:
    if units.datasets == len(units.of):
        return ""
    if units.overlap > 0:
        text = (
            f"Two class draws have {percent(units.overlap)} of their classes in common on average "
            "(none, if they are of two data sets), "
        )
        text += (
            "for which intervals and tests are corrected."
            if new
            else "and test items that are in both are counted as one cluster."
        )
    else:
        text = "The class draws have no class in common and count as data sets."
    if units.datasets > 1 and new:
        text += " That draws of one data set are alike in other ways is not corrected for."
    return text


def _test(found: Average) -> list[str]:
    """The tests, the omnibus, and why there are no p-values if there are none."""
    contrasts = found.against or found.pairs
    if not contrasts:
        return []
    tests = [t for t in dict.fromkeys(c.contrast.test for c in contrasts) if t != "none"]
    out = []
    if tests and any(c.m for c in contrasts):
        sizes = span(c.m for c in contrasts if c.m)
        out.append(
            f"Test: {listing(tests)}, with Holm's correction (family: {contrasts[0].family}, "
            f"m = {sizes})."
        )
    elif tests and WILCOXON not in tests:
        out.append("Descriptive: too few seeds, or class draws, for a p-value.")
    reason = no_wilcoxon(found)
    return [*out, *([reason] if reason else []), *_omnibus(found)]


def no_wilcoxon(found: Average) -> str:
    """Why pairs of rows have no p of a Wilcoxon test; nothing where all have one."""
    pairs = [c for c in found.pairs if c.contrast.test == WILCOXON]
    lacking = [c for c in pairs if c.contrast.p is None]
    if not lacking:
        return ""
    k = max(len([1 for (_, c) in found.values if c == column]) for column in found.units)
    m = k * (k - 1) // 2
    n = max(sum(_counts(found, c.column, c.contrast.a, c.contrast.b)[::2]) for c in lacking)
    verb = "has" if len(lacking) == 1 else "have"
    some = f"{len(lacking)} of {plural(len(pairs), 'pair')} of rows {verb} no p-value"
    who = "No pair of rows has a p-value" if len(lacking) == len(pairs) else some
    return (
        f"{who}: the smallest p of an exact Wilcoxon test is 2/2^n for n "
        f"{found.kinds} that differ (n = {n}: {2.0 ** (1 - n):.2g}), and the first step of Holm's "
        f"correction over {plural(m, 'pair')} of {k} rows needs {ALPHA / m:.2g}. Wins, ties and "
        f"losses count {found.kinds}."
    )


def _counts(found: Average, column: Column, a: str, b: str) -> tuple[int, int, int]:
    tally = found.tallies[column, a, b]
    return tally.win, tally.tie, tally.loss


def _omnibus(found: Average) -> list[str]:
    out = []
    for column in found.units:
        omnibus = friedman_of(found, column)
        if omnibus is not None:
            where = "" if column.label == "all" else f" ({column.label})"
            out.append(
                f"Friedman's test that all rows are equal{where}: chi-squared "
                f"{omnibus.statistic:.1f} with {omnibus.df} degrees of freedom, p "
                f"{equals(omnibus.p)}."
            )
    return out


def no_diagram(found: Average, column: Column) -> str:
    """Why a column of means has no critical-difference diagram; nothing where it has one."""
    rows = [row for row, c in found.values if c == column]
    pairs = [c for c in found.pairs if c.column == column]
    if found.kind != NEW:
        return (
            f"its ranks take the {found.kinds} as the sample, and here they are a fixed benchmark "
            "(report.average: these_datasets)"
        )
    if len(rows) < 3:
        return f"it needs three rows that have all {found.kinds}"
    if any(c.contrast.test == CORRECTED for c in pairs):
        return "the class draws share classes, so they are no independent data sets"
    if found.verdicts.family == REFERENCE:
        return (
            "it needs all pairs of rows, and this page compares each row with the reference only "
            "(report.family: column has all pairs)"
        )
    if any(c.contrast.p is None for c in pairs) or not pairs:
        return "not every pair of rows may be given a p-value"
    return ""


def without_diagrams(found: Average) -> list[str]:
    """A sentence for each reason why columns have no critical-difference diagram."""
    columns: dict[str, list[str]] = {}
    for column in found.columns:
        if reason := no_diagram(found, column):
            columns.setdefault(reason, []).append(column.label)
    out = []
    for reason, labels in columns.items():
        where = "" if len(labels) == len(found.columns) else f" for {escape(listing(labels))}"
        out.append(f"There is no critical-difference diagram{where}: {reason}.")
    return out


def below_means(table: Table) -> str:
    """What the table of their differences has."""
    found = table.average
    assert found is not None
    contrasts = found.against or found.pairs
    of = "row minus " + escape(table.reference) if found.against else "first row minus second row"
    text = (
        f"Differences of means over {found.noun}, in points, {of}. Wins, ties and losses: on how "
        f"many {found.kinds} the row is ahead, equal or behind. "
    )
    if any(c.contrast.test == WILCOXON for c in contrasts):
        text += f"The interval is a t interval over {found.kinds}, and p is not made from it. "
    if any(c.m for c in contrasts):
        text += NOT_ADJUSTED
    notes = dict.fromkeys(c.contrast.note for c in contrasts if c.contrast.note)
    notes.pop("descriptive", None)
    return "\n\n".join([text.strip(), *(f"- {escape(note)}" for note in notes)])
