"""What the paper claims about two rows, judged on the Records of a study. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from harness.core.outcomes import Contrast
from harness.core.settled import rules_of
from harness.report.model.contrasts import ESTIMAND
from harness.report.model.correlation import cosines, pearson
from harness.report.model.entry import ABSENT, INFEASIBLE, Entry
from harness.report.model.labels import Column
from harness.report.model.looks import in_looks_of_pair
from harness.report.model.results import Results
from harness.report.model.table import Table
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

_BySeed = Mapping[int | None, float]


@dataclass(frozen=True)
class JudgedClaim:
    """A claim in a column. `a` and `b` are the two means: fractions, nats or correlations.

    Without a contrast, `why_not` says why the claim was not tested.
    """

    claim: ClaimModel
    column: str
    a: float | None = None
    b: float | None = None
    contrast: Contrast | None = None  # adjusted within the claims of its task
    why_not: str = ""

    @property
    def verdict(self) -> str:
        """One of VERDICTS. Only a significant difference decides. A claim of equality is never
        confirmed: at best it is not refuted.
        """
        c = self.contrast
        if c is None:
            return UNTESTED
        if c.p_adjusted is None:
            return DESCRIPTIVE
        significant = c.p_adjusted <= family.ALPHA
        if self.claim.direction == "=":
            return DIFFERS if significant else NO_DIFFERENCE
        if significant:
            return HOLDS if c.difference > 0 else AGAINST
        return SAME if c.difference > 0 else OTHER


def judge(results: Results, table: Table) -> list[JudgedClaim]:
    """Every claim of the task in every column that it covers.

    The family of their p is all claims of the task: together they are what its page asserts.
    """
    judged = [j for claim in results.task.claims for j in _judge(claim, results, table)]
    adjusted = iter(family.adjust([j.contrast for j in judged if j.contrast is not None]))
    return [replace(j, contrast=next(adjusted)) if j.contrast else j for j in judged]


def _judge(claim: ClaimModel, results: Results, table: Table) -> Iterator[JudgedClaim]:
    a, b = _row(table, claim.a), _row(table, claim.b)
    unknown = [name for name, row in ((claim.a, a), (claim.b, b)) if row is None]
    columns = [c for c in table.columns if claim.column in (None, c.label)]
    if a is None or b is None or not columns:
        what = f"row '{unknown[0]}'" if unknown else f"column '{claim.column}'"
        yield JudgedClaim(claim, claim.column or "", why_not=f"the table has no {what}")
        return
    partial = rule(claim.where, "claims.where")
    pairs = {c: (table.entries[a, c], table.entries[b, c]) for c in columns}
    # A claim that names no column covers those that have both rows.
    both = {c: p for c, p in pairs.items() if not {e.status for e in p} & {ABSENT, INFEASIBLE}}
    chosen = both if both and claim.column is None else pairs
    for column, pair in chosen.items():
        if not partial or any(e.cell is not None and matches(e.cell, partial) for e in pair):
            yield _compare(claim, column, pair, results, table)


def _row(table: Table, name: str) -> str | None:
    """The row with a label. One of `init: TASK#train_key` is also found by TASK alone, since the
    train key depends on the machine's packages.
    """
    matching = [row for row in table.rows if row == name or row.startswith(f"{name}#")]
    return matching[0] if len(matching) == 1 else None


def _compare(
    claim: ClaimModel, column: Column, pair: tuple[Entry, Entry], results: Results, table: Table
) -> JudgedClaim:
    where = "" if column.label == "all" else str(column)
    for row, entry in zip((claim.a, claim.b), pair, strict=True):
        if entry.estimate is None:
            why = "; ".join(entry.reasons) or entry.status
            return JudgedClaim(claim, where, why_not=f"{row}: {why}")
    if claim.measure == "top1":
        return _accuracy(claim, where, *pair)
    by_seed = _losses if claim.measure == "loss" else _correlations(results, table, column)
    of_a, of_b = by_seed(pair[0]), by_seed(pair[1])
    common = [seed for seed in of_a if seed in of_b]
    if len(common) < 2:
        return JudgedClaim(claim, where, why_not=f"fewer than two seeds have a {claim.measure}")
    a_S, b_S = (np.array([of[seed] for seed in common]) for of in (of_a, of_b))
    contrast = _over_seeds(claim, a_S - b_S)
    return JudgedClaim(claim, where, float(a_S.mean()), float(b_S.mean()), contrast)


def _accuracy(claim: ClaimModel, where: str, a: Entry, b: Entry) -> JudgedClaim:
    if a.outcomes is None or b.outcomes is None or a.test != b.test:
        return JudgedClaim(claim, where, why_not="the two rows have different test sets")
    contrast = in_looks_of_pair(
        partial(pairwise.contrast, name_a=claim.a, name_b=claim.b, estimand=ESTIMAND),
        a.outcomes, b.outcomes, rules_of([*a.records, *b.records]),
    )  # fmt: skip
    means = float(a.outcomes.correct_SN.mean()), float(b.outcomes.correct_SN.mean())
    return JudgedClaim(claim, where, *means, contrast)


def _over_seeds(claim: ClaimModel, d_S: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Contrast:
    """The paired t test over seeds (estimand E1): a loss or a correlation map is one number per
    seed, so test items cannot be a second random factor.
    """
    paired = paired_t(d_S)
    enough = len(d_S) >= pairwise.LEAST_SEEDS
    flips = Contrast(
        a=claim.a, b=claim.b, difference=float(d_S.mean()), low=None, high=None,
        p=paired.p_sign_flip if enough else None, p_adjusted=None, seeds=len(d_S), items=0,
        groups=0, estimand="E1", test=pairwise.SIGN_FLIPS, note="the same in every seed",
    )  # fmt: skip
    if (t := paired.t) is None:
        return flips
    return replace(
        flips, low=t.low, high=t.high, p=t.p if enough else None, test="paired t over seeds",
        note="", se=t.standard_error, df=t.df,
        smallest_detectable=smallest_detectable(t.standard_error, t.df) if enough else None,
    )  # fmt: skip


def _losses(entry: Entry) -> _BySeed:
    """Mean training loss of all epochs (the area under the curve), by seed."""
    losses = {
        r.cell.get("seed"): [p["loss"] for p in r.curve if "loss" in p] for r in entry.records
    }
    return {seed: float(np.mean(loss_E)) for seed, loss_E in losses.items() if loss_E}


def _correlations(results: Results, table: Table, column: Column) -> Callable[[Entry], _BySeed]:
    """By seed, the correlation of the trained classifier's map of cosines with that of the texts.

    The map of the texts is that of the column's text row before training, the same for all seeds.
    """
    text_CD = next(
        (
            results.arrays(e.records[0]).get("w_init")
            for row in table.rows
            if (e := table.entries[row, column]).estimate is not None and _is_text(e)
        ),
        None,
    )

    def values(entry: Entry) -> _BySeed:
        if text_CD is None:
            return {}
        reference_CC = cosines(text_CD, len(text_CD))
        weights = {r.cell.get("seed"): results.arrays(r).get("w_final") for r in entry.records}
        correlations = {
            seed: pearson(cosines(w_CD, len(w_CD)), reference_CC)
            for seed, w_CD in weights.items()
            if w_CD is not None
        }
        return {seed: r for seed, r in correlations.items() if r is not None}

    return values


def _is_text(entry: Entry) -> bool:
    """Whether its classifier is initialised from texts of the encoder's own text tower."""
    cell = entry.cell
    named = cell is not None and cell.classifier is not None and cell.classifier.name == "text"
    return named and cell is not None and cell.text_encoder is None
