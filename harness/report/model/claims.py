"""What the paper claims about two rows, judged on the Records of a study. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.core.outcomes import Contrast
from harness.core.settled import rules_of
from harness.report.model.correlation import cosines, pearson
from harness.report.model.entry import ABSENT, INFEASIBLE, Entry
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.steps import losses, steps_to
from harness.report.model.table import Table
from harness.report.model.within import turned
from harness.stats import pairwise
from harness.stats.equivalence import beyond_p, equivalence_p
from harness.stats.holm import ALPHA, holm
from harness.stats.paired_t import paired_t
from harness.stats.power import smallest_detectable
from harness.stats.sequential import Seeds, sequential
from harness.task.grid import matches, rule
from harness.task.schema import ClaimModel

SUPPORTED, EQUIVALENT, CONTRADICTED = "supported", "equivalent", "contradicted"
UNDECIDED, DESCRIPTIVE, UNTESTED = "undecided", "too few seeds for a test", "not tested"
VERDICTS = (SUPPORTED, EQUIVALENT, CONTRADICTED, UNDECIDED, DESCRIPTIVE, UNTESTED)
#: The note of a contrast of values that do not vary, which has no interval.
SAME_IN_EVERY_SEED = "the same in every seed"

_BySeed = Mapping[int | None, float]


@dataclass(frozen=True)
class JudgedClaim:
    """A claim in a column. `a` and `b` are the two means: fractions, nats, steps or correlations.

    Without a contrast, `why_not` says why the claim was not tested. The contrast of steps is of
    their logarithms. `p` is that of the claim: two-sided for "a is above b"; for "a and b are
    equal" the smaller one of two tests of which only one can be right, that the difference is
    inside the margin and that it is outside.
    """

    claim: ClaimModel
    column: str
    a: float | None = None
    b: float | None = None
    contrast: Contrast | None = None  # its p is not adjusted
    why_not: str = ""
    margin: float = 0.0  # a fraction
    same: Hashable = None  # equal for claims that are one comparison
    p_adjusted: float | None = None  # over all claims of the page
    m: int = 0  # how many different comparisons these are
    #: The two rows in this column, whose accuracies were compared.
    entries: tuple[Entry, Entry] | None = field(default=None, compare=False, repr=False)

    @property
    def p(self) -> float | None:
        """None without a test."""
        c = self.contrast
        if c is None or c.p is None or self.claim.direction == ">":
            return None if c is None else c.p
        tests = (self._inside(), beyond_p(c, self.margin))
        return min((p for p in tests if p is not None), default=None)

    def _inside(self) -> float | None:
        return equivalence_p(self.contrast, self.margin) if self.contrast and self.margin else None

    @property
    def is_inside(self) -> bool:
        """Whether `p` is that of the difference being inside the margin."""
        inside = self._inside()
        return self.claim.direction == "=" and inside is not None and inside == self.p

    @property
    def is_tie(self) -> bool:
        """Whether the two rows have exactly the same mean."""
        return self.contrast is not None and self.contrast.difference == 0

    @property
    def verdict(self) -> str:
        """One of VERDICTS. Without a significant test a claim is undecided, whatever its direction.
        A claim of equality is confirmed within its margin only, and contradicted beyond it.
        """
        c = self.contrast
        if c is None:
            return UNTESTED
        if self.p is None:
            return DESCRIPTIVE
        if self.p_adjusted is None or self.p_adjusted > ALPHA:
            return UNDECIDED
        if self.claim.direction == "=":
            return EQUIVALENT if self.is_inside else CONTRADICTED
        return SUPPORTED if c.difference > 0 else CONTRADICTED


def judge(results: Results, table: Table) -> list[JudgedClaim]:
    """Every claim of the task in every column that it covers; `adjust_page` adjusts their p."""
    return [j for claim in results.task.claims for j in _judge(claim, results, table)]


def adjust_page(judged: Sequence[Sequence[JudgedClaim]]) -> list[list[JudgedClaim]]:
    """Holm's correction over all claims of a page. Claims that are one comparison, as where two
    tables have the same cells, count once.

    That a claim of equality has two tests changes nothing: one of its two hypotheses is true, so
    that it can be rejected wrongly in one way only.
    """
    first: dict[Hashable, JudgedClaim] = {}
    for j in (j for of_part in judged for j in of_part):
        if j.p is not None:
            first.setdefault(j.same, j)
    adjusted = dict(zip(first, holm([j.p for j in first.values()]), strict=True))
    return [
        [
            replace(j, p_adjusted=adjusted[j.same], m=len(first)) if j.p is not None else j
            for j in of_part
        ]
        for of_part in judged
    ]


def comparisons(judged: Iterable[JudgedClaim]) -> int:
    """How many different comparisons with a test these claims are; of a page, the size m of its
    family.
    """
    return len({j.same for j in judged if j.p is not None})


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
    margin = (claim.margin or results.task.report.margin or 0) / 100
    found = _measured(claim, where, column, pair, results, table)
    return replace(found, margin=margin, same=_comparison(claim, margin, pair))


def _comparison(claim: ClaimModel, margin: float, pair: tuple[Entry, Entry]) -> Hashable:
    """The cells and the question: what makes two claims one comparison, whichever row is first."""
    keys = frozenset(tuple(sorted(r.key for r in entry.records)) for entry in pair)
    question = (claim.direction, margin if claim.direction == "=" else 0)
    return (claim.measure, claim.target, question, keys)


def _measured(
    claim: ClaimModel, where: str, column: Column, pair: tuple[Entry, Entry], results: Results,
    table: Table,
) -> JudgedClaim:  # fmt: skip
    if claim.measure == "top1":
        return _accuracy(claim, where, column, pair, table)
    if claim.measure == "steps":
        return _steps(claim, where, *pair)
    by_seed = losses if claim.measure == "loss" else _correlations(results, table, column)
    of_a, of_b = by_seed(pair[0]), by_seed(pair[1])
    if len({*of_a} & {*of_b}) < 2:
        return JudgedClaim(claim, where, why_not=f"fewer than two seeds have a {claim.measure}")
    return _by_seed(claim, where, pair, of_a, of_b)


def _by_seed(
    claim: ClaimModel, where: str, pair: tuple[Entry, Entry], of_a: _BySeed, of_b: _BySeed
) -> JudgedClaim:
    """Means and contrast of two values a seed, with the looks of a sequential rule."""
    common = [seed for seed in of_a if seed in of_b]

    def at(seeds: Seeds) -> Contrast:
        return _over_seeds(claim, np.array([of_a[s] - of_b[s] for s in common if s in seeds]))

    contrast = sequential(at, at(common), common, rules_of([*pair[0].records, *pair[1].records]))
    a, b = (float(np.mean([of[s] for s in common])) for of in (of_a, of_b))
    return JudgedClaim(claim, where, a, b, contrast)


def _accuracy(
    claim: ClaimModel, where: str, column: Column, pair: tuple[Entry, Entry], table: Table
) -> JudgedClaim:
    """The contrast is that of the table: a page has one p of two rows before it is adjusted."""
    rows = (_row(table, claim.a), _row(table, claim.b))
    for c in table.verdicts.of(column):
        if {c.contrast.a, c.contrast.b} == {*rows}:
            own = c.contrast if c.contrast.a == rows[0] else turned(c.contrast)
            own = replace(own, a=claim.a, b=claim.b, p_adjusted=None)
            a, b = (e.estimate.mean if e.estimate is not None else None for e in pair)
            return JudgedClaim(claim, where, a, b, own, entries=pair)
    return JudgedClaim(claim, where, why_not="the two rows have different test sets")


def _steps(claim: ClaimModel, where: str, a: Entry, b: Entry) -> JudgedClaim:
    """Logarithms of the steps to a target, paired by seed: a ratio is what "faster" means."""
    assert claim.target is not None
    of_a, of_b = (steps_to(entry, claim.target) for entry in (a, b))
    for row, of_row in ((claim.a, of_a), (claim.b, of_b)):
        if late := sum(steps is None for steps in of_row.values()):
            why = f"the loss of {row} did not come to {claim.target:g} nats in {late} of "
            return JudgedClaim(claim, where, why_not=f"{why}{len(of_row)} seeds")
    log_a, log_b = ({s: math.log(n) for s, n in of.items() if n} for of in (of_a, of_b))
    if len({*log_a} & {*log_b}) < 2:
        return JudgedClaim(claim, where, why_not="fewer than two seeds have a training loss")
    found = _by_seed(claim, where, (a, b), log_a, log_b)
    assert found.a is not None
    assert found.b is not None
    return replace(found, a=math.exp(found.a), b=math.exp(found.b))


def _over_seeds(claim: ClaimModel, d_S: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Contrast:
    """The paired t test over seeds (estimand E1): a loss or a correlation map is one number per
    seed, so test items cannot be a second random factor.
    """
    paired = paired_t(d_S)
    enough = len(d_S) >= pairwise.LEAST_SEEDS
    flips = Contrast(
        a=claim.a, b=claim.b, difference=float(d_S.mean()), low=None, high=None,
        p=paired.p_sign_flip if enough else None, p_adjusted=None, seeds=len(d_S), items=0,
        groups=0, estimand="E1", test=pairwise.SIGN_FLIPS, note=SAME_IN_EVERY_SEED,
    )  # fmt: skip
    if (t := paired.t) is None:
        return flips
    return replace(
        flips, low=t.low, high=t.high, p=t.p if enough else None, test="paired t over seeds",
        note="", se=t.standard_error, df=t.df,
        smallest_detectable=smallest_detectable(t.standard_error, t.df) if enough else None,
    )  # fmt: skip


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
