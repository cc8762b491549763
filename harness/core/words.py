"""Numbers with their nouns."""

from __future__ import annotations

import re


def plural(number: int, noun: str) -> str:
    """`1 seed`, `5 seeds`, `2 classes`, `3 entries`."""
    if number == 1:
        return f"1 {noun}"
    if re.search("[^aeiou]y$", noun):
        return f"{number} {noun.removesuffix('y')}ies"
    return f"{number} {noun}{'es' if noun.endswith(('s', 'ch')) else 's'}"
