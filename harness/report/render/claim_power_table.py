"""Which accuracy claims could tell a small difference, and what the others lack: a short table."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.claim_power import ClaimPower, powers
from harness.report.model.claims import JudgedClaim, comparisons
from harness.report.model.paper import PaperPart
from harness.report.render.pipe_table import pipe_table
from harness.report.text.claim_power import (
    BELOW,
    able_text,
    ends,
    items_missing,
    power_text,
    seeds_missing,
)

_HEADER = ("In the paper", "Comparisons", "Could tell it", "Smallest", "Seeds needed",
           "Classes or items needed")  # fmt: skip


def claim_power_table(parts: Sequence[PaperPart], judged: Sequence[Sequence[JudgedClaim]]) -> str:
    """One line per table or figure of the paper; empty where no claim has a test of accuracies."""
    every = [j for of_part in judged for j in of_part]
    found = powers(every)
    if not found:
        return ""
    of_parts = [(part.title, powers(of_part)) for part, of_part in zip(parts, judged, strict=True)]
    rows = [_line(title, of_part) for title, of_part in of_parts if of_part]
    text = power_text(found, comparisons(every))
    return f"{text}\n\n{pipe_table(_HEADER, rows)}\n\n{BELOW}"


def _line(title: str, found: Sequence[ClaimPower]) -> list[str]:
    lacking = [p for p in found if not p.is_able]
    return [
        title, str(len(found)), able_text(found), ends([p.smallest for p in found]),
        seeds_missing(lacking), items_missing(lacking),
    ]  # fmt: skip
