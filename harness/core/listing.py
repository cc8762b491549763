"""Names as text: up to five of them, and how many more."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 5


def quoted(names: Sequence[str]) -> str:
    """'a', 'b', ..."""
    shown = ", ".join(f"'{name}'" for name in names[:MOST_NAMED])
    return shown + (", ..." if len(names) > MOST_NAMED else "")


def paired(pairs: Sequence[tuple[str, str]], count: int | None = None) -> str:
    """'a' and 'b', 'a' and 'c' (and 2 more pairs); `count` where not all pairs are given."""
    more = (len(pairs) if count is None else count) - len(pairs[:MOST_NAMED])
    shown = ", ".join(f"'{a}' and '{b}'" for a, b in pairs[:MOST_NAMED])
    return shown + (f" (and {more} more {'pair' if more == 1 else 'pairs'})" if more else "")
