"""What the paper says of two rows, held against the Records of a study. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.core.outcomes import Contrast
from harness.report.model.entry import ABSENT, INFEASIBLE, Entry
from harness.report.model.labels import Column
from harness.report.model.results import Study
from harness.report.model.table import ESTIMAND, Table
from harness.report.render.correlation import cosines, pearson
from harness.stats import family, pairwise
from harness.stats.paired_t import paired_t
from harness.stats.power import smallest_detectable
from harness.task.grid import matches, rule
from harness.task.schema import ClaimModel

HOLDS, AGAINST = "holds", "the opposite holds"
SAME, OTHER = "same direction, not significant", "other direction, not significant"
NO_DIFFERENCE, DIFFERS = "no difference found", "they differ"
DESCRIPTIVE, UNTESTED = "too few seeds for a test", "not tested"
VERDICTS = (HOLDS, NO_DIFFERENCE, SAME, OTHER, DIFFERS, AGAINST, DESCRIPTIVE, UNTESTED)

_Seeds = Mapping[int | None, float]


@dataclass(frozen=True)
class Judged:
    """A claim in a column. `a` and `b` are the two means: fractions, nats or correlations."""

    claim: ClaimModel
    column: str
    a: float | None = None
    b: float | None = None
    contrast: Contrast | None = None  # adjusted within the claims of its task
    why_not: str = ""

    @property
    def verdict(self) -> str:
        """One of VERDICTS. Only a difference that is significant decides; equality is never shown,
        it is at best not refuted.
        """
        c = self.contrast
        if c is None:
            return UNTESTED
        if c.p_adjusted is None:
            return DESCRIPTIVE
        clear = c.p_adjusted <= family.ALPHA
        if self.claim.direction == "=":
            return DIFFERS if clear else NO_DIFFERENCE
        if clear:
            return HOLDS if c.difference > 0 else AGAINST
        return SAME if c.difference > 0 else OTHER


def judge(study: Study, table: Table) -> list[Judged]:
    """Every claim of the task in every column that it speaks of; Holm over all of them."""
    found = [j for claim in study.task.claims for j in _judge(claim, study, table)]
    tested = [j.contrast for j in found if j.contrast is not None]
    adjusted = iter(family.adjust(tested))
    return [replace(j, contrast=next(adjusted)) if j.contrast else j for j in found]


def _judge(claim: ClaimModel, study: Study, table: Table) -> Iterator[Judged]:
    a, b = _row(table, claim.a), _row(table, claim.b)
    strange = [name for name, row in ((claim.a, a), (claim.b, b)) if row is None]
    columns = [c for c in table.columns if claim.column in (None, c.label)]
    if a is None or b is None or not columns:
        what = f"row '{strange[0]}'" if strange else f"column '{claim.column}'"
        yield Judged(claim, claim.column or "", why_not=f"the table has no {what}")
        return
    partial = rule(claim.where, "claims.where")
    pairs = {c: (table.entries[a, c], table.entries[b, c]) for c in columns}
    # A claim that names no column speaks of those that have both rows.
    both = {c: p for c, p in pairs.items() if not {e.status for e in p} & {ABSENT, INFEASIBLE}}
    chosen = both if both and claim.column is None else pairs
    for column, pair in chosen.items():
        if not partial or any(e.cell is not None and matches(e.cell, partial) for e in pair):
            yield _compare(claim, column, pair, study, table)


def _row(table: Table, name: str) -> str | None:
    """A row by its label; one that begins from `init: TASK#train_key` also by TASK alone, since
    the key depends on the machine's packages.
    """
    fitting = [row for row in table.rows if row == name or row.startswith(f"{name}#")]
    return fitting[0] if len(fitting) == 1 else None


def _compare(
    claim: ClaimModel, column: Column, pair: tuple[Entry, Entry], study: Study, table: Table
) -> Judged:
    where = "" if column.label == "all" else str(column)
    for row, entry in zip((claim.a, claim.b), pair, strict=True):
        if entry.estimate is None:
            why = "; ".join(entry.reasons) or entry.status
            return Judged(claim, where, why_not=f"{row}: {why}")
    if claim.measure == "top1":
        return _accuracy(claim, where, *pair)
    values = _losses if claim.measure == "loss" else _correlations(study, table, column)
    of_a, of_b = values(pair[0]), values(pair[1])
    common = [seed for seed in of_a if seed in of_b]
    if len(common) < 2:
        return Judged(claim, where, why_not=f"fewer than two seeds have a {claim.measure}")
    a_S, b_S = (np.array([of[seed] for seed in common]) for of in (of_a, of_b))
    contrast = _over_seeds(claim, a_S - b_S)
    return Judged(claim, where, float(a_S.mean()), float(b_S.mean()), contrast)


def _accuracy(claim: ClaimModel, where: str, a: Entry, b: Entry) -> Judged:
    if a.outcomes is None or b.outcomes is None or a.test != b.test:
        return Judged(claim, where, why_not="the two rows have different test sets")
    contrast = pairwise.contrast(
        a.outcomes, b.outcomes, name_a=claim.a, name_b=claim.b, estimand=ESTIMAND
    )
    means = float(a.outcomes.correct_SN.mean()), float(b.outcomes.correct_SN.mean())
    return Judged(claim, where, *means, contrast)


def _over_seeds(claim: ClaimModel, d_S: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Contrast:
    """The t test over seeds, for these items or classes: nothing else of it is sampled."""
    t = paired_t(d_S).t
    enough = len(d_S) >= pairwise.LEAST_SEEDS
    return Contrast(
        a=claim.a, b=claim.b, difference=t.mean, low=t.low, high=t.high,
        p=t.p if enough else None, p_adjusted=None, seeds=len(d_S), items=0, groups=0,
        estimand="E1", test="paired t over seeds", se=t.standard_error, df=t.df,
        smallest_detectable=(
            smallest_detectable(t.standard_error, t.df) if enough and t.standard_error else None
        ),
    )  # fmt: skip


def _losses(entry: Entry) -> _Seeds:
    """Mean training loss of all epochs (the area under the curve), by seed."""
    curves = {
        r.cell.get("seed"): [p["loss"] for p in r.curve if "loss" in p] for r in entry.records
    }
    return {seed: float(np.mean(curve)) for seed, curve in curves.items() if curve}


def _correlations(study: Study, table: Table, column: Column) -> Callable[[Entry], _Seeds]:
    """By seed, how the map of the trained classifier correlates with that of the texts."""
    texts = next(
        (
            study.arrays(e.records[0]).get("w_init")
            for row in table.rows
            if (e := table.entries[row, column]).estimate is not None and is_text(e)
        ),
        None,
    )

    def values(entry: Entry) -> _Seeds:
        if texts is None:
            return {}
        reference_CC = cosines(texts, len(texts))
        maps = {r.cell.get("seed"): study.arrays(r).get("w_final") for r in entry.records}
        found = {
            seed: pearson(cosines(w_CD, len(w_CD)), reference_CC)
            for seed, w_CD in maps.items()
            if w_CD is not None
        }
        return {seed: r for seed, r in found.items() if r is not None}

    return values


def is_text(entry: Entry) -> bool:
    """Whether its classifier begins as the texts of the encoder's own text tower."""
    cell = entry.cell
    named = cell is not None and cell.classifier is not None and cell.classifier.name == "text"
    return named and cell is not None and cell.text_encoder is None
