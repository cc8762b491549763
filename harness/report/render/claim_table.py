"""The claims of a table or figure of the paper as a Markdown table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.report.model.claims import JudgedClaim
from harness.report.model.published import Published
from harness.report.render.pipe_table import pipe_table
from harness.report.render.published_tables import as_published
from harness.report.text.numbers import interval, margin_points, points, probability
from harness.report.text.paper import digits_of, reading
from harness.report.text.prose import brackets, escape
from harness.task.schema import ClaimModel

_HEADER = ("The paper says", "In the paper", "Column", "Here",
           brackets("Difference [95% interval]"), "Adjusted p", "Verdict")  # fmt: skip


def claim_table(judged: Sequence[JudgedClaim], published: Sequence[Published]) -> str:
    """One line per claim and column, what its columns are, and why a claim was not tested.

    `published` are the paper's numbers, which claims name by table, row and column.
    """
    if not judged:
        return ""
    why_not = dict.fromkeys(f"- {escape(j.why_not)}" for j in judged if j.why_not)
    table = pipe_table(_HEADER, [_line(j, published) for j in judged], left=3)
    return "\n\n".join(s for s in (table, reading(judged), "\n".join(why_not)) if s)


def _line(j: JudgedClaim, published: Sequence[Published]) -> list[str]:
    return [
        escape(j.claim.text), _in_paper(j.claim, published), escape(j.column), _means(j),
        _difference(j), probability(j.p_adjusted), _verdict(j),
    ]  # fmt: skip


def _verdict(j: JudgedClaim) -> str:
    text = f"**{j.verdict}**"
    if j.claim.direction == "=" and j.margin and j.contrast is not None:
        text += f" (margin {margin_points(j.margin)})"
    return f"{text}, an exact tie" if j.is_tie else text


def _means(j: JudgedClaim) -> str:
    if j.a is None or j.b is None:
        return ""
    digits = digits_of(j)
    if j.claim.measure == "top1":
        return f"{points(j.a, digits)} and {points(j.b, digits)}"
    if j.claim.measure == "steps":
        return f"{j.a:.0f} and {j.b:.0f}"
    return f"{j.a:.{digits + 2}f} and {j.b:.{digits + 2}f}"


def _difference(j: JudgedClaim) -> str:
    c, digits = j.contrast, digits_of(j)
    if c is None:
        return ""
    if j.claim.measure == "top1":
        text = f"{points(c.difference, digits, sign=True)} "
        text += interval(c.low, c.high, digits, sign=True)
    elif j.claim.measure == "steps":  # of logarithms: what a is times b
        text = f"{math.exp(c.difference):.2f} times"
        if c.low is not None and c.high is not None:
            text += f" [{math.exp(c.low):.2f}, {math.exp(c.high):.2f}]"
    else:  # losses and correlations as they are: two decimals more than points
        text = f"{c.difference:+.{digits + 2}f}"
        if c.low is not None and c.high is not None:
            text += f" [{c.low:+.{digits + 2}f}, {c.high:+.{digits + 2}f}]"
    return brackets(text.strip())


def _in_paper(claim: ClaimModel, published: Sequence[Published]) -> str:
    known = {(n.table, n.row, n.column): n for n in published}
    numbers = [known[claim.table or "", row, column] for row, column in claim.printed]
    return " and ".join(as_published(n, published) for n in numbers)
