"""Why an entry has no number, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.entry import FAILED, MISSING, Entry

#: A longer reason is only in the list of what is missing.
_LONGEST = 40


def in_a_cell(entries: Sequence[Entry]) -> str:
    """What a table shows of a row and column that is missing or failed. As `status_of`, and where
    all seeds are done and the entry failed all the same, its reason: `failed: its test set ...`.
    """
    reasons = {reason for e in entries if e.status == FAILED for reason in e.reasons}
    if status_of(entries) != FAILED or len(reasons) != 1 or any(map(_failed, entries)):
        return status_of(entries)
    (reason,) = reasons
    return f"{FAILED}: {reason}" if len(reason) <= _LONGEST else FAILED


def status_of(entries: Sequence[Entry]) -> str:
    """`missing (3 of 5 seeds done)`, `failed (2 of 5 seeds)`; without a count where there is one
    seed, or a row without seeds, and where it is not for its seeds that an entry failed.

    A cell has one entry, or one for every class draw; some of them are missing or failed.
    """
    wanted = sum(e.seeds_wanted for e in entries)
    of = f"of {plural(wanted, 'seed' if len(entries) == 1 else 'run')}"
    if all(e.status != FAILED for e in entries):
        done = sum(e.seeds_done for e in entries)
        return MISSING if wanted < 2 else f"{MISSING} ({done} {of} done)"
    failed = sum(map(_failed, entries))
    return FAILED if wanted < 2 or not failed else f"{FAILED} ({failed} {of})"


def _failed(entry: Entry) -> int:
    """How many of its seeds failed."""
    return sum(record.status != "done" for record in entry.records)
