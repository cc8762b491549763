"""The claims of a table or figure of the paper as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.claim_power import is_of_equality, smallest_of
from harness.report.model.claims import JudgedClaim
from harness.report.model.published import Published
from harness.report.render.pipe_table import pipe_table
from harness.report.render.published_tables import as_published
from harness.report.text.claim_numbers import difference_of, digits_of, mean_of
from harness.report.text.numbers import detectable, margin_points, probability
from harness.report.text.paper import reading
from harness.report.text.prose import brackets, escape
from harness.report.text.shared_seeds import shared_seeds
from harness.task.schema import ClaimModel

_HEADER = ("Claim", "Numbers in the paper", "Column", "Here",
           brackets("Difference [95% interval]"), "Smallest detectable", "Adjusted p",
           "Verdict")  # fmt: skip


def claim_table(judged: Sequence[JudgedClaim], published: Sequence[Published]) -> str:
    """One line per claim and column, what its columns are, and why a claim was not tested.

    `published` are the paper's numbers, which claims name by table, row and column.
    """
    if not judged:
        return ""
    remarks = [*_shared_seeds(judged), *(escape(j.why_not) for j in judged if j.why_not)]
    below = "\n".join(f"- {remark}" for remark in dict.fromkeys(remarks))
    table = pipe_table(_HEADER, [_line(j, published) for j in judged], left=4)
    return "\n\n".join(s for s in (table, reading(judged), below) if s)


def _shared_seeds(judged: Sequence[JudgedClaim]) -> list[str]:
    return shared_seeds(
        (j.contrast, *j.entries) for j in judged if j.contrast is not None and j.entries is not None
    )


def _line(j: JudgedClaim, published: Sequence[Published]) -> list[str]:
    return [
        escape(j.claim.text), _in_paper(j.claim, published), escape(j.column), _means(j),
        brackets(difference_of(j)), _smallest(j), _p(j), _verdict(j),
    ]  # fmt: skip


def _verdict(j: JudgedClaim) -> str:
    text = f"**{j.verdict}**"
    if j.claim.direction == "=" and j.margin and j.contrast is not None:
        text += f" (margin {margin_points(j.margin)})"
    return f"{text}, an exact tie" if j.is_tie else text


def _means(j: JudgedClaim) -> str:
    """The two rows that were compared, each with its mean."""
    if j.a is None or j.b is None:
        return ""
    return f"{escape(j.claim.a)}: {mean_of(j, j.a)}; {escape(j.claim.b)}: {mean_of(j, j.b)}"


def _smallest(j: JudgedClaim) -> str:
    text = detectable(smallest_of(j), digits_of(j))
    return f"margin {text}" if text and is_of_equality(j) else text


def _p(j: JudgedClaim) -> str:
    """That of a claim of equality says which of its two tests it is from."""
    text = probability(j.p_adjusted)
    return (
        f"{text} ({'inside' if j.is_inside else 'beyond'})" if text and is_of_equality(j) else text
    )


def _in_paper(claim: ClaimModel, published: Sequence[Published]) -> str:
    known = {(n.table, n.row, n.column): n for n in published}
    numbers = [known[claim.table or "", row, column] for row, column in claim.printed]
    return " and ".join(as_published(n, published) for n in numbers)
