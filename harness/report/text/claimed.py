"""The sentence of the answer about claims that measure something else than accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.claims import JudgedClaim
from harness.report.text.claim_numbers import difference_of, mean_of
from harness.report.text.numbers import equals
from harness.report.text.prose import escape, in_column, listing

#: More claims than these are counted and not told.
MOST_TOLD = 2

#: What the two rows do, and what the claim says of the first.
_SAID = {
    "steps": (
        "to a training loss of {target:g} nats, {a} takes {mean_a} steps and {b} {mean_b}",
        "that {a} takes more",
    ),
    "loss": (
        "the training loss, mean over all epochs, is {mean_a} nats for {a} and {mean_b} for {b}",
        "that it is higher for {a}",
    ),
    "correlation": (
        "the cosines between trained class weights correlate with those between the texts with "
        "r = {mean_a} for {a} and {mean_b} for {b}",
        "that {a} is closer to the texts",
    ),
}
_NAMES = {
    "steps": "training steps", "loss": "training losses", "correlation": "class correlations",
}  # fmt: skip


def claims_sentence(judged: Sequence[JudgedClaim]) -> str:
    """What these claims' measures show; nothing without such claims."""
    if not judged:
        return ""
    columns = len({j.column for j in judged}) > 1
    clauses = [_clause(j, columns=columns) for j in judged[:MOST_TOLD]]
    if more := judged[MOST_TOLD:]:
        verdicts = list(dict.fromkeys(j.verdict for j in more))
        counts = [f"{sum(j.verdict == v for j in more)} {v}" for v in verdicts]
        clauses.append(f"{plural(len(more), 'further claim')}: {listing(counts)}")
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."


def _clause(j: JudgedClaim, *, columns: bool) -> str:
    where = f"{in_column(escape(j.column))}, " if columns and j.column else ""
    a, b = escape(j.claim.a), escape(j.claim.b)
    if j.a is None or j.b is None:
        names = _NAMES[j.claim.measure]
        return f"{where}the {names} of {a} and {b} are not compared ({escape(j.why_not)})"
    found, claim = (
        part.format(a=a, b=b, mean_a=mean_of(j, j.a), mean_b=mean_of(j, j.b), target=j.claim.target)
        for part in _SAID[j.claim.measure]
    )
    if j.claim.direction == "=":
        claim = "that they are equal"
    return f"{where}{found} ({_tested(j)}): the claim {claim} {_verdict(j)}"


def _tested(j: JudgedClaim) -> str:
    difference = difference_of(j)
    if j.claim.measure != "steps":
        difference = f"difference {difference}"
    if j.p_adjusted is None:
        return difference
    name = "p" if j.m == 1 else f"p adjusted over {j.m} claims"
    return f"{difference}, {name} {equals(j.p_adjusted)}"


def _verdict(j: JudgedClaim) -> str:
    """With the verb; without a test there are too few seeds."""
    return f"is {j.verdict}" if j.p_adjusted is not None else f"has {j.verdict}"
