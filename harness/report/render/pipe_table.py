"""Tables of GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def pipe_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A table; the first `left` columns are flush left, the others flush right."""
    rule = [":--" if i < left else "--:" for i in range(len(header))]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
