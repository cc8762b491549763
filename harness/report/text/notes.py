"""The sentences below the tables of a report: what their columns mean."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of
from harness.report.model.table import Table
from harness.report.text.numbers import margin_points, span
from harness.report.text.prose import escape, listing
from harness.report.text.shared_seeds import shared_seeds
from harness.stats.holm import ALPHA
from harness.stats.pairwise import LEAST_SEEDS

NOT_ADJUSTED = (
    "Intervals are not adjusted, so one may exclude 0 although its adjusted p is above 0.05."
)
DRAWS = (
    "Differences in points. \\* adjusted p at most 0.05 within the draw (Holm's correction; "
    "family: {family}). Over draws: the corrected resampled t test of "
    "Nadeau and Bengio; the overlap that it corrects for is the mean share of classes that two "
    "draws have in common. It needs at least 4 draws, and its p is not adjusted for the number of "
    "rows. A difference without a star is not shown in that draw, which is no sign that there is "
    "none; with fewer than {seeds} seeds there is no p and no star. What is undecided has no other "
    "table."
)
COST = (
    "MACs are multiply-accumulate operations. The paper calls them FLOPs and leaves attention out "
    "of operations and parameters. GPU-days are an estimate for one cell: the operations of its "
    "training at the speed that the paper's own GPU-days imply (V100: Table 6; A100: Table 12), "
    "wherever it ran."
)
COUNTED_TEXTS = " A text tower that every step runs is counted from its width."
UNCOUNTED_TEXTS = (
    " Rows that train through a text tower have none: their Records are of a version that did not "
    "count it."
)
PUBLISHED = (
    "Imported from publications, not measured here: data, encoders and budgets differ. These "
    "numbers enter no test and no ranking of this page."
)


def below_draws(table: Table) -> str:
    """What the table of differences over class draws has, and where what is undecided is."""
    text = DRAWS.format(family=table.family, seeds=LEAST_SEEDS)
    if table.average is not None:
        text += (
            f" Of the means over {table.average.noun} it is what has an adjusted p above {ALPHA} "
            "in their section."
        )
    return text


def below_contrasts(table: Table, contrasts: Sequence[ColumnContrast], *, against: bool) -> str:
    """What the differences are, how p was adjusted, and remarks of the tests."""
    of = f"row minus {escape(table.reference)}" if against else "first row minus second row"
    if any(c.m for c in contrasts):
        sizes = span(c.m for c in contrasts if c.m)
        families = listing(list(dict.fromkeys(c.family for c in contrasts)))
        adjusted = f"Adjusted p: Holm's correction in the family '{families}' (m = {sizes}). "
        adjusted += NOT_ADJUSTED
    else:
        adjusted = f"Descriptive: a p-value needs {LEAST_SEEDS} seeds."
    text = (
        f"Differences in points, {of}. {adjusted} Seeds / items: the share of the variance of the "
        "difference that more seeds would remove, and the share that only more test items would "
        "remove."
    )
    if (margin := margin_of(table)) is not None:
        text += " " + _of_margin(margin)
    remarks = [*_shared_seeds(table, contrasts), *_remarks(contrasts)]
    return text + ("\n\n" + "\n".join(f"- {r}" for r in remarks) if remarks else "")


def _shared_seeds(table: Table, contrasts: Sequence[ColumnContrast]) -> list[str]:
    entries = table.entries
    return shared_seeds(
        (c.contrast, entries[c.contrast.a, c.column], entries[c.contrast.b, c.column])
        for c in contrasts
    )


def _of_margin(margin: float) -> str:
    size = margin_points(margin)
    return (
        f"Margin: {size} points. Different: adjusted p at most 0.05. Equivalent within the margin: "
        f"the p of two one-sided tests (that the difference is not inside -{size} to +{size}), "
        "adjusted in the same family, is at most 0.05. The 90% interval is that of this pair "
        "alone. A difference may be both: it is there, and it is smaller than the margin. "
        "Undecided: neither is shown."
    )


def _remarks(contrasts: Sequence[ColumnContrast]) -> list[str]:
    """The tests' notes, each with its contrast; one that all contrasts share is given once."""
    notes = dict.fromkeys(c.contrast.note for c in contrasts)
    if len(contrasts) > 1 and len(notes) == 1:
        (note,) = notes
        return [f"All comparisons: {escape(note)}"] if note and note != "descriptive" else []
    remarks = [
        f"{escape(c.contrast.a)} minus {escape(c.contrast.b)}, {escape(c.column)}: "
        f"{escape(c.contrast.note)}"
        for c in contrasts
        if c.contrast.note and c.contrast.note != "descriptive"
    ]
    return list(dict.fromkeys(remarks))
