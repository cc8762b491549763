"""The caption of the leaderboard: what its numbers estimate, from how much, by which test."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.cells import NEW, Cell
from harness.core.words import plural
from harness.report.model.contrasts import COLUMN, REFERENCE, TABLE
from harness.report.model.controls import controls
from harness.report.model.entry import Entry
from harness.report.model.estimand import NEW_CLASSES, THESE_CLASSES, THESE_ITEMS
from harness.report.model.harmonic import harmonic_table
from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.report.text.counts import counted
from harness.report.text.numbers import DOWN, UP, points, span
from harness.report.text.prose import brackets, escape, listing
from harness.report.text.shared_variance import shared_variance
from harness.stats.pairwise import LEAST_SEEDS


def caption(table: Table) -> str:
    """Estimand, seeds S, items N, groups G, classes C, test, family and its size m."""
    done = _done(table)
    if not done:
        return "No entry is done yet."
    if any(c.draw is not None for c in table.columns):
        return _of_draws(table, done)
    methods = listing(list(dict.fromkeys(e.estimate.method for e in done if e.estimate)))
    text = (
        f"Top-1 accuracy in points: {brackets('mean [95% interval]')} {_about(done)}; "
        f"{_size(table, done)}. Interval: {methods}. "
    )
    tests = list(dict.fromkeys(p.contrast.test for p in table.pairs if p.contrast.p is not None))
    if not table.family:
        return f"{text}Verdicts are those of the claims above."
    if not tests:
        return text + _no_test(table)
    shared = f"{said} " if (said := shared_variance(table)) else ""
    return f"{text}Test: {listing(tests)}. {shared}{_verdicts(table)}"


def _verdicts(table: Table) -> str:
    """How verdicts are shown, and the one family that all of them are from."""
    m = span(c.m for c in table.pairs if c.m)
    if table.family == REFERENCE:
        return (
            f"{UP}, {DOWN}: significantly above or below {escape(table.reference)}, the only row "
            "that others are compared with. Every verdict of this page has Holm's correction over "
            f"the rows of a column (family: reference, m = {m}){_further(table)}."
        )
    over = "of a column" if table.family == COLUMN else "of all columns together"
    return (
        "Bold: not significantly worse than the best row of its column; (a-b): rank interval. "
        f"Every verdict of this page has Holm's correction over all pairs of rows {over} (family: "
        f"{table.family}, m = {m}){_further(table)}."
    )


def _further(table: Table) -> str:
    """The sections whose comparisons are families of their own, each with its size."""
    found = [f"{name} (m = {span(sizes)})" for name, sizes in further_families(table).items()]
    if not found:
        return ""
    family = "a family" if len(found) == 1 else "families"
    return (
        f", but for comparisons outside of it, which have {family} of their own: {listing(found)}"
    )


def further_families(table: Table) -> dict[str, list[int]]:
    """By section: the sizes of families beside that of the leaderboard's columns."""
    found: dict[str, list[int]] = {}
    if (carried := controls(table)) is not None and carried.m:
        found["what carries the gain"] = [carried.m]
    outside = [w.m for w in table.within if w.m and not w.family]
    if outside:
        found[f"what {escape(table.task.report.within)} changes"] = outside
    if table.family == TABLE:  # of means and of H there are tables of their own
        for name, other in (("means over data sets", mean_table(table)),
                            ("H", harmonic_table(table))):  # fmt: skip
            if other is not None and (sizes := [c.m for c in other.pairs if c.m]):
                found[name] = sizes
    return found


def estimands(table: Table) -> list[str]:
    """What the numbers of a table are about: the estimands of its entries."""
    return list(dict.fromkeys(e.estimand for e in _done(table)))


def _about(done: Sequence[Entry]) -> str:
    found = {e.estimand for e in done}
    if found == {THESE_ITEMS}:
        return "under E1 (report.estimand: these_items; new seeds on these test items)"
    new = "classes with their items" if found == {NEW_CLASSES} else "test items"
    if found == {NEW_CLASSES, THESE_CLASSES}:
        new = "test items, or classes with their items where classes were drawn"
    names = listing(sorted(found))
    return f"under E2 (report.estimand: {names}; new seeds and new {new})"


def _done(table: Table) -> list[Entry]:
    return [e for e in table.entries.values() if e.estimate is not None]


def _of_draws(table: Table, done: Sequence[Entry]) -> str:
    draws = len({c.draw for c in table.columns})
    return (
        f"Top-1 accuracy in points: mean over {plural(draws, 'class draw')} "
        f"{brackets('[lowest, highest draw]')}. Each draw has {_size(table, done)}. Every draw has "
        "its own test items, so rows are compared within each draw, below."
        + (f" {said}" if (said := shared_variance(table)) else "")
    )


def _size(table: Table, done: Sequence[Entry]) -> str:
    estimates = [e.estimate for e in done if e.estimate is not None]
    classes = f"C = {counted((e.classes for e in done), 'class')}"
    text = (
        f"{_seeds(done)}, N = {counted((e.items for e in estimates), 'test item')} in "
        f"G = {counted((e.groups for e in estimates), 'group')}"
    )
    if {e.estimand for e in done} != {NEW_CLASSES}:
        text += f", for {'this' if classes == 'C = 1 class' else 'these'} {classes} only"
    elif all(e.estimate and e.estimate.groups == e.classes for e in done):
        text += f", one per class ({classes}, drawn with their items)"
    else:
        text += f", of whole classes ({classes}, drawn with their items)"
    # Only zero-shot accuracies come close enough to chance for a reader to ask.
    if any(e.cell is not None and _is_zero_shot(e.cell) for e in done):
        text += f"; chance level, 100/C: {_chance(done)} points"
    return text


def _is_zero_shot(cell: Cell) -> bool:
    """Whether tested classes were not trained on."""
    return cell.regime == "zero_shot" or cell.test_classes == NEW


def _chance(done: Sequence[Entry]) -> str:
    shares = sorted({1 / e.classes for e in done if e.classes})
    return " to ".join(dict.fromkeys(points(s, 1) for s in (shares[0], shares[-1])))


def _seeds(done: Sequence[Entry]) -> str:
    """Deterministic rows have one run and no seed: they do not count as one seed."""
    random = [e for e in done if e.outcomes is not None and e.outcomes.seeds != (None,)]
    if not random:
        return "S = 1 run (every row is deterministic)"
    text = f"S = {counted((e.seeds_done for e in random), 'seed')}"
    return text if len(random) == len(done) else f"{text} (deterministic rows: one run)"


def _no_test(table: Table) -> str:
    if len(table.rows) < 2:
        return "One row: there is nothing to compare."
    return (
        f"Descriptive: with fewer than {LEAST_SEEDS} seeds, or nothing to compare, there are no "
        "p-values, no bold and no ranks."
    )
