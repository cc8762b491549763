"""Pieces of sentences: text from outside made safe for Markdown, and lists in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SHOTS = re.compile(r"\d+ shots?\b")
_OWN_WORDS = (
    "the difference from ", "the differences from ", "the comparisons are ", "the highest mean ",
)  # fmt: skip
_SPECIAL = re.compile(r"([\\|*`\[\]])")


def escape(text: object) -> str:
    """Text from outside (labels, questions, errors) as one line that Markdown prints as it is."""
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    line = _SPECIAL.sub(r"\\\1", line)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", line)


def brackets(text: str) -> str:
    """Brackets as text: Markdown would read `[a] (b)` as a link."""
    return text.replace("[", "\\[").replace("]", "\\]")


#: Abbreviations that end no sentence.
_ABBREVIATIONS = ("e.g.", "i.e.", "vs.", "cf.", "approx.", "et al.")


def first_sentence(text: str) -> str:
    """The first sentence of a paragraph, on one line. What is in brackets ends none."""
    line, depth = " ".join(text.split()), 0
    for end, character in enumerate(line, start=1):
        depth = max(0, depth + (character in "([") - (character in ")]"))
        ends = character in ".?!" and depth == 0 and line[end : end + 1] in ("", " ")
        if ends and not line[:end].endswith(_ABBREVIATIONS):
            return line[:end]
    return line


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def in_column(label: str) -> str:
    """How a sentence names a column: `at 4 shots`, `in column full`; nothing for the only one."""
    if label == "all":
        return ""
    return f"at {label}" if _SHOTS.match(label) else f"in column {label}"


def sentence(where: str, text: str) -> str:
    """`In column full, text beats ...`: with a capital and a full stop; nothing of nothing."""
    if not text:
        return ""
    whole = f"{where} {text}".strip()
    # A row's label keeps its case where it begins the sentence.
    own_words = where or text.startswith(_OWN_WORDS)
    return f"{whole[:1].upper()}{whole[1:]}." if own_words else f"{whole}."
