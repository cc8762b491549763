"""The caption of the leaderboard: what its numbers estimate, from how much, by which test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.core.cells import NEW, Cell
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.entry import Entry
from harness.report.model.table import Table
from harness.report.text.numbers import points, span
from harness.report.text.prose import brackets, escape, listing, plural
from harness.stats.pairwise import LEAST_SEEDS


def caption(table: Table) -> str:
    """Estimand, seeds S, items N, groups G, classes C, test, family and its size m."""
    done = _done(table)
    if not done:
        return "No entry is done yet."
    if any(c.draw is not None for c in table.columns):
        return _of_draws(table, done)
    new = "classes with their items" if classes_are_drawn(table) else "test items"
    methods = listing(list(dict.fromkeys(e.estimate.method for e in done if e.estimate)))
    text = (
        f"Top-1 accuracy in points: {brackets('mean [95% interval]')} under E2 (new seeds and new "
        f"{new}); {_size(table, done)}. Interval: {methods}. "
    )
    tests = list(dict.fromkeys(p.contrast.test for p in table.pairs if p.contrast.p is not None))
    if not tests:
        return text + _no_test(table)
    text += (
        f"Test: {listing(tests)}. Bold: not significantly worse than the best row of its column; "
        "(a-b): rank interval; both from all pairs of rows of a column with Holm's correction"
    )
    contrasts = table.against or table.pairs
    if contrasts[0].family == "column":
        return f"{text} (family: column, m = {span(p.m for p in table.pairs if p.m)})."
    return f"{text}. Family of the contrasts below: {contrasts[0].family}, m = {_m(contrasts)}."


def two_families(table: Table) -> str:
    """Why the answer and the rank intervals may disagree; nothing where one family has both."""
    contrasts = [c for c in table.against or table.pairs if c.m]
    ranked = [c.column for c in table.pairs if (c.contrast.a, c.column) in table.ranks and c.m]
    if not contrasts or not ranked or table.draws or contrasts[0].family == "column":
        return ""
    who = "The answer and the contrasts" if table.reference is not None else "The contrasts"
    if contrasts[0].family == "reference":
        # The smaller family: more of its differences are significant.
        what = f"each row with {escape(table.reference)} only (m = {_m(contrasts)})"
        then = "so they may find a significant difference between rows whose rank intervals overlap"
    else:
        what = f"the pairs of all columns together (m = {_m(contrasts)})"
        then = (
            "so they may find no significant difference between rows whose rank intervals do not "
            "overlap"
        )
    return (
        "Bold and rank intervals compare all pairs of rows of a column (m = "
        f"{span(Counter(ranked).values())}). {who} compare {what}, {then}."
    )


def classes_are_drawn(table: Table) -> bool:
    """Whether every group of test items is one class, so that new items are new classes."""
    done = _done(table)
    return bool(done) and all(e.classes_drawn for e in done)


def _done(table: Table) -> list[Entry]:
    return [e for e in table.entries.values() if e.estimate is not None]


def _of_draws(table: Table, done: Sequence[Entry]) -> str:
    draws = len({c.draw for c in table.columns})
    return (
        f"Top-1 accuracy in points: mean over {plural(draws, 'class draw')} "
        f"{brackets('[lowest, highest draw]')}. Each draw has {_size(table, done)}. Every draw has "
        "its own test items, so rows are compared within each draw, below."
    )


def _size(table: Table, done: Sequence[Entry]) -> str:
    estimates = [e.estimate for e in done if e.estimate is not None]
    classes = f"C = {span(e.classes for e in done)} classes"
    text = (
        f"{_seeds(done)}, N = {span(e.items for e in estimates)} test items in "
        f"G = {span(e.groups for e in estimates)} groups"
    )
    if classes_are_drawn(table):
        text += f", one per class ({classes}, drawn with their items)"
    else:
        text += f", for these {classes} only"
    # Only zero-shot accuracies come close enough to chance for a reader to ask.
    if any(e.cell is not None and _is_zero_shot(e.cell) for e in done):
        text += f"; chance level, 100/C: {_chance(done)} points"
    return text


def _is_zero_shot(cell: Cell) -> bool:
    """Whether tested classes were not trained on."""
    return cell.regime == "zero_shot" or cell.test_classes == NEW


def _m(contrasts: Iterable[ColumnContrast]) -> str:
    return span(c.m for c in contrasts if c.m)


def _chance(done: Sequence[Entry]) -> str:
    shares = sorted({1 / e.classes for e in done if e.classes})
    return " to ".join(dict.fromkeys(points(s, 1) for s in (shares[0], shares[-1])))


def _seeds(done: Sequence[Entry]) -> str:
    """Deterministic rows have one run and no seed: they do not count as one seed."""
    random = [e for e in done if e.outcomes is not None and e.outcomes.seeds != (None,)]
    if not random:
        return "S = 1 run (every row is deterministic)"
    seeds = span(e.seeds_done for e in random)
    text = f"S = {seeds} seed{'s' * (seeds != '1')}"
    return text if len(random) == len(done) else f"{text} (deterministic rows: one run)"


def _no_test(table: Table) -> str:
    if len(table.rows) < 2:
        return "One row: there is nothing to compare."
    return (
        f"Descriptive: with fewer than {LEAST_SEEDS} seeds, or nothing to compare, there are no "
        "p-values, no bold and no ranks."
    )
