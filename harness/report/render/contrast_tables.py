"""The contrasts as Markdown tables: with the reference or of all pairs, and over class draws."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.contrasts import ColumnContrast
from harness.report.model.draws import DrawSummary
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.render.undecided_table import with_best
from harness.report.text.notes import below_contrasts, below_draws
from harness.report.text.numbers import (
    detectable,
    interval,
    margin_points,
    percent,
    points,
    probability,
)
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import brackets, escape
from harness.stats.equivalence import interval_90
from harness.stats.family import sign

#: A longer table is not read; the csv of contrasts has every pair.
MOST_PAIRS = 150


def contrast_sections(table: Table) -> list[tuple[str, str]]:
    """(title, text) of the section with the contrasts."""
    if table.draws:
        return []  # within each draw, in their own section
    if table.reference is not None:
        title = f"## Differences from {escape(table.reference)}"
        return [(title, _contrasts(table, table.against, against=True))]
    if len(table.pairs) <= MOST_PAIRS:
        return [("## All pairs", _contrasts(table, table.pairs, against=False))]
    shown = with_best(table)
    text = _contrasts(table, shown, against=False)
    text += (
        f"\n\n{len(shown)} of {len(table.pairs)} pairs are shown; the csv of contrasts has all "
        "of them."
    )
    return [("## Differences from the best row of each column", text)]


def contrasts_table(table: Table) -> str:
    """The rows against the reference, or the first MOST_PAIRS pairs of rows."""
    if table.reference is not None:
        return _contrasts(table, table.against, against=True)
    text = _contrasts(table, table.pairs[:MOST_PAIRS], against=False)
    if len(table.pairs) > MOST_PAIRS:
        text += f"\n\n{MOST_PAIRS} of {len(table.pairs)} pairs are shown; the csv has all of them."
    return text


def draws_table(table: Table) -> str:
    """Differences from the reference over class draws; nothing where classes were drawn once."""
    if not table.draws:
        return ""
    seeds = sorted({c.draw for c in table.columns if c.draw is not None})
    digits = contrast_digits(c for d in table.draws for c in d.contrasts.values())
    rows = [_draw_row(d, seeds, digits) for d in table.draws]
    header = ["Column", "Row", *(f"Draw {s}" for s in seeds), "Same sign", "p <= 0.05",
              brackets("Mean over draws [95% interval]"), "p over draws"]  # fmt: skip
    return f"{pipe_table(header, rows, left=2)}\n\n{below_draws(table)}"


def _contrasts(table: Table, contrasts: Sequence[ColumnContrast], *, against: bool) -> str:
    if not contrasts:
        return "No two rows can be compared yet." if len(table.rows) > 1 else ""
    digits = contrast_digits(c.contrast for c in contrasts)
    rows = []
    for in_column in contrasts:
        c = in_column.contrast
        gap = f"{points(c.difference, digits, sign=True)} "
        gap += brackets(interval(c.low, c.high, digits, sign=True))
        rows.append(
            [
                escape(in_column.column),
                escape(c.a) if against else f"{escape(c.a)} minus {escape(c.b)}",
                gap.strip(),
                probability(c.p) or "descriptive",
                probability(c.p_adjusted),
                detectable(c.smallest_detectable, digits),
                _shares(c.share_seeds),
                str(c.seeds),
                *_margin_values(table, in_column, digits),
            ]
        )
    header = ["Column", "Row", brackets("Difference [95% interval]"), "p", "Adjusted p",
              "Smallest detectable", "Seeds / items", "S", *_margin_titles(table)]  # fmt: skip
    below = below_contrasts(table, contrasts, against=against)
    return f"{pipe_table(header, rows, left=2)}\n\n{below}"


def _margin_titles(table: Table) -> list[str]:
    margin = margin_of(table)
    return (
        []
        if margin is None
        else ["90% interval", "Equivalence p", f"Margin {margin_points(margin)}"]
    )


def _margin_values(table: Table, in_column: ColumnContrast, digits: int) -> list[str]:
    if margin_of(table) is None:
        return []
    c = in_column.contrast
    low, high = interval_90(c) or (None, None)
    bounds = brackets(interval(low, high, digits, sign=True))
    return [bounds, probability(c.p_equivalent), verdict_of(table, c, in_column.column)]


def _shares(seeds: float | None) -> str:
    return "" if seeds is None else f"{percent(seeds)} / {percent(1 - seeds)}"


def _draw_row(d: DrawSummary, seeds: Sequence[int], digits: int) -> list[str]:
    line = [escape(d.label), f"{escape(d.a)} minus {escape(d.b)}"]
    for seed in seeds:
        c = d.contrasts.get(seed)
        if c is None:
            line.append("missing")
            continue
        star = "\\*" if sign(c) else ""
        line.append(points(c.difference, digits, sign=True) + star)
    line += [f"{d.same_sign} of {len(d.contrasts)}", f"{d.significant} of {len(d.contrasts)}"]
    t = d.over_draws.t if d.over_draws is not None else None
    if d.over_draws is None or t is None:
        return [*line, "missing" if len(d.contrasts) < d.planned else "descriptive", ""]
    bounds = brackets(interval(t.low, t.high, digits, sign=True))
    return [*line, f"{points(d.over_draws.mean, digits, sign=True)} {bounds}", probability(t.p)]
