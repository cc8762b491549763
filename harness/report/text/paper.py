"""The sentences of the page about the paper: what was run, and how its claims were judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core.outcomes import Contrast
from harness.core.words import plural
from harness.report.model.claim_power import POWER, is_of_equality, smallest_of
from harness.report.model.claims import UNTESTED, VERDICTS, JudgedClaim, comparisons
from harness.report.model.paper import NOT_TESTABLE, SAME_STUDY, PaperPart
from harness.report.text.numbers import percent
from harness.report.text.prose import escape, listing
from harness.stats.pairwise import SIGN_FLIPS
from harness.task.declared import Declaration

NOT_RUN = "not run"
COSTS = (
    "Multiply-accumulates (MACs) of one view and parameters: the image encoder, and a transformer "
    "over its frames where the task has one. The paper's count has convolutions and linear layers "
    "outside attention, which its profiler sees; in full: every matrix product and every parameter."
)
#: Task files do not mark which claims are the paper's own.
_OWN = (
    "Most of them are the paper's. Some are variants of ours, which the paper does not claim, as "
    "where a row has a recipe of its own: the sentence of each claim says so, and the paper's "
    "numbers beside a variant are those of the claim that it varies. Which row was tested in place "
    "of the paper's is beside each claim, and why above its table."
)
_UNITS = {
    "top1": "accuracies in points",
    "loss": "mean training losses of all epochs in nats",
    "steps": "training steps to the target loss (geometric means over seeds), with their ratio",
    "correlation": "Pearson correlations of the cosines between classes with those of the texts",
}


def opening(parts: Sequence[PaperPart], judged: Sequence[Sequence[JudgedClaim]]) -> str:
    """How much of the paper was run here, and how far its numbers can be compared."""
    relations = Counter(part.relation for part in parts)
    kinds = listing([f"{n} {name}" for name, n in relations.items()])
    verdicts = [j.verdict for of_part in judged for j in of_part]
    tested = len(verdicts) - verdicts.count(UNTESTED)
    return (
        f"Tables and figures: {len(parts)} ({kinds}). Claims: {len(verdicts)}, of which {tested} "
        f"{'is' if tested == 1 else 'are'} tested here. {_OWN} The paper's numbers are imported "
        "and enter no test. Data, encoders and "
        "budgets differ from the paper's, so compare directions and not numbers: a claim that is "
        "contradicted here is not refuted for the paper's setting, and one that is supported here "
        f"is not confirmed for it.\n\n{_family(judged)}"
    )


def declared_in(declared: Declaration) -> str:
    """Which version of the tasks the page is of: they were written before they were run."""
    text = "Claims, margins, targets, seeds and class draws are those of the files in tasks/"
    if declared.short_commit is None:
        return f"{text} (content {declared.content})."
    text += f" at commit {declared.short_commit} of {declared.committed}"
    if declared.changed:
        text += ", **with changes that are not committed**"
    return f"{text} (content {declared.content})."


def _family(judged: Sequence[Sequence[JudgedClaim]]) -> str:
    """The one family of the page."""
    every = [j for part in judged for j in part]
    m, tested = comparisons(every), sum(j.p is not None for j in every)
    if not m:
        return ""
    same = (
        f" {tested - m} of the {tested} tests repeat a comparison of another claim on the same "
        "cells and count once in m; claims and different comparisons are both counted below."
        if tested > m
        else ""
    )
    return (
        f"Supported and contradicted: adjusted p at most 0.05, with Holm's correction over all "
        f"claims of this page (m = {m}).{same} Equivalent, for a claim that two rows are equally "
        "accurate: two one-sided tests inside the margin that the claim declares; contradicted: "
        "the difference is shown to be larger than the margin. Undecided: neither, whatever the "
        "direction. The report of a single table corrects over its own comparisons, which are "
        "fewer: what is significant there may be undecided here."
    )


def verdict_list(parts: Sequence[PaperPart], judged: Sequence[Sequence[JudgedClaim]]) -> str:
    """One line per verdict: how many claims have it, how many different comparisons these are, and
    where.
    """
    lines = []
    for verdict in VERDICTS:
        found = [
            (part.title, j)
            for part, of_part in zip(parts, judged, strict=True)
            for j in of_part
            if j.verdict == verdict
        ]
        if found:
            counts = Counter(title for title, _ in found)
            places = listing([f"{n} of {title}" for title, n in counts.items()])
            number = plural(len(found), "claim")
            if 0 < (different := comparisons(j for _, j in found)) < len(found):
                number += f", {plural(different, 'different comparison')}"
            lines.append(f"- **{verdict}:** {number} ({places}).")
    return "\n".join(lines)


def relation(part: PaperPart) -> str:
    """How what was run relates to the paper's study, and why it was not run."""
    embedded = part.task.embedded
    text = f"Here: **{part.relation}**"
    if part.relation != SAME_STUDY and embedded is not None and embedded.why:
        text += f". {escape(embedded.why)}"
    if part.why_not and part.relation != NOT_TESTABLE:
        text += f"\n\n**{NOT_RUN}:** {escape(part.why_not)}"
    return text


def reading(judged: Sequence[JudgedClaim]) -> str:
    """What the columns of a table of claims are."""
    contrasts = [j.contrast for j in judged if j.contrast is not None]
    if not contrasts:
        return ""
    units = "; ".join(_UNITS[m] for m in dict.fromkeys(j.claim.measure for j in judged))
    tests = listing(list(dict.fromkeys(c.test for c in contrasts if c.p is not None)))
    sentences = [
        f"{units[:1].upper()}{units[1:]}; the difference is first minus second.",
        f"Test: {tests}." if tests else "",
        _generalises(judged),
        _of_flips(contrasts),
        _smallest(judged),
        _of_equality(judged),
    ]
    return " ".join(s for s in sentences if s)


def _of_flips(contrasts: Sequence[Contrast]) -> str:
    """Why a difference that all seeds have may be undecided."""
    flips = [c for c in contrasts if c.test == SIGN_FLIPS and c.p is not None]
    if not flips:
        return ""
    least = [
        f"{2.0 ** (1 - s):.2g} for {plural(s, 'seed')}" for s in sorted({c.seeds for c in flips})
    ]
    return (
        "What is the same in every seed shows no spread, so signs are flipped: the smallest p, "
        f"before it is adjusted, is {listing(least)}."
    )


def _smallest(judged: Sequence[JudgedClaim]) -> str:
    found = [j for j in judged if smallest_of(j) is not None]
    if not found:
        return ""
    text = (
        f"Smallest detectable: the true difference in points that is found with a power of "
        f"{percent(POWER)} at 0.05/{found[0].m}, the level of one of this page's comparisons"
    )
    if any(map(is_of_equality, found)):
        text += "; of a claim of equality, the margin within which two equal rows are shown to be"
    return f"{text}."


def _of_equality(judged: Sequence[JudgedClaim]) -> str:
    """Which p a claim of equality has."""
    if not any(is_of_equality(j) and j.p is not None for j in judged):
        return ""
    return (
        "The p of a claim of equality is the smaller one of two tests: that the difference is "
        "inside the margin, and that it is beyond it; the row says which."
    )


def _generalises(judged: Sequence[JudgedClaim]) -> str:
    """What claims about losses, steps and correlations are about."""
    measures = {j.claim.measure for j in judged if j.contrast is not None} - {"top1"}
    if not measures:
        return ""
    names = {"loss": "losses", "steps": "steps", "correlation": "correlations"}
    what = listing([names[m] for m in names if m in measures])
    return (
        f"Claims about {what} generalise over seeds only: these classes and training sets are "
        "fixed (estimand E1)."
    )
