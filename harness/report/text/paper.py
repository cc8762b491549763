"""The sentences of the page about the paper: what was run, and how its claims were judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.report.model.claims import (
    DECIDED,
    UNTESTED,
    VERDICTS,
    JudgedClaim,
    comparisons,
)
from harness.report.model.paper import NOT_TESTABLE, SAME_STUDY, PaperPart
from harness.report.text.numbers import detectable
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, listing
from harness.task.declared import Declaration

NOT_RUN = "not run"
COSTS = (
    "Multiply-accumulates (MACs) of one view and parameters: the image encoder, and a transformer "
    "over its frames where the task has one. The paper's count has convolutions and linear layers "
    "outside attention, which its profiler sees; in full: every matrix product and every parameter."
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
        f"{'is' if tested == 1 else 'are'} tested here. The paper's numbers are imported and enter "
        "no test. Data, encoders and "
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
    m, tested = comparisons(judged), sum(j.p is not None for part in judged for j in part)
    if not m:
        return ""
    same = (
        f" {tested - m} of the {tested} tests repeat a comparison of another claim on the same "
        "cells and count once."
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
    """One line per verdict: how many claims have it, and where."""
    lines = []
    for verdict in VERDICTS:
        titles = [
            part.title
            for part, of_part in zip(parts, judged, strict=True)
            for j in of_part
            if j.verdict == verdict
        ]
        if titles:
            places = listing([f"{n} of {title}" for title, n in Counter(titles).items()])
            lines.append(f"- **{verdict}:** {len(titles)} ({places}).")
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
    """What the columns of a table of claims are, and what its undecided claims could have shown."""
    contrasts = [j.contrast for j in judged if j.contrast is not None]
    if not contrasts:
        return ""
    units = "; ".join(_UNITS[m] for m in dict.fromkeys(j.claim.measure for j in judged))
    text = f"{units[:1].upper()}{units[1:]}; the difference is first minus second."
    tests = dict.fromkeys(c.test for c in contrasts if c.p is not None)
    if tests:
        text += f" Test: {listing(list(tests))}."
    if said := _generalises(judged):
        text += f" {said}"
    smallest = [
        f"{detectable(j.contrast.smallest_detectable, digits_of(j))} ({escape(j.claim.a)} against "
        f"{escape(j.claim.b)}{', ' + escape(j.column) if j.column else ''})"
        for j in judged
        if j.verdict not in (*DECIDED, UNTESTED)
        and j.contrast is not None
        and j.contrast.smallest_detectable is not None
        and j.claim.measure == "top1"
    ]
    if smallest:
        text += (
            f" Smallest detectable difference of undecided claims, each as the only claim: "
            f"{listing(smallest)}."
        )
    return text.strip()


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


def digits_of(judged: JudgedClaim) -> int:
    """Decimals of its numbers, in points."""
    return contrast_digits([judged.contrast] if judged.contrast is not None else [])
