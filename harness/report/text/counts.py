"""Numbers of things in words."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.words import plural
from harness.report.text.numbers import span


def counted(values: Iterable[int | None], noun: str) -> str:
    """`1 seed`, `5 to 10 seeds`, `1,000 items`; `no seeds` where nothing is known."""
    known = [v for v in values if v is not None]
    nouns = plural(2, noun).removeprefix("2 ")
    if not known:
        return f"no {nouns}"
    return f"{span(known)} {noun if set(known) == {1} else nouns}"
