"""Labels on several lines, and the space that they take in a figure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from harness.report.model.labels import JOINT

#: Most characters in a line of a row's name beside a figure.
NAME_WIDTH = 32
#: Mean width of a character and height of a line, in inches at a font size of 10.
CHARACTER, LINE = 0.083, 0.17
_MOST_LINES = 3
_NBSP = "\u00a0"
#: A number is never broken: 0.2 on one line would be another value.
_NUMBER = re.compile(r"(?:(?<!\w)-)?\d+(?:\.\d+)*(?:e[+-]?\d+)?")
_LONGEST_NUMBER = 12
#: After these signs a long word is broken; after the first ones rather than the last.
_BREAKS = ("(,", "_/:-", "=")


def wrapped(label: str, width: int) -> str:
    """A label in lines of at most `width` characters, three of them at most.

    Parts stay whole where they fit, with their separator at the end of the line. What has no space
    is left out before the last line, which an ellipsis shows. No number is broken.
    """
    width = max(4, width)
    parts = [part.replace(" ", _NBSP) if len(part) + 2 <= width else part
             for part in label.split(JOINT)]  # fmt: skip
    glued = f"{_NBSP}{JOINT.strip()} ".join(parts)
    lines = textwrap.wrap(" ".join(_pieces(glued, width)), width)
    if len(lines) > _MOST_LINES:
        # Long names often differ at their end.
        kept = lines[1][: _before_number(lines[1], width - 1)]
        lines = [lines[0], f"{kept.rstrip()}…", lines[-1]]
    return "\n".join(lines).replace(_NBSP, " ")


def _pieces(text: str, width: int) -> Iterator[str]:
    """The words of a text, those that are too long for a line in pieces that fill one each."""
    for word in text.split(" "):
        rest = word
        while len(rest) > width:
            end = _break(rest, width)
            yield rest[:end]
            rest = rest[end:]
        yield rest


def _break(word: str, width: int) -> int:
    """Where a word that is too long is broken: after a sign if it leaves no line nearly empty."""
    for signs in _BREAKS:
        for end in range(width, width // 3, -1):
            if word[end - 1] in signs and _before_number(word, end) == end:
                return end
    return _before_number(word, width) or width


def _before_number(text: str, at: int) -> int:
    """`at`, or where the number begins that a cut at `at` would break."""
    for number in _NUMBER.finditer(text):
        if number.start() < at < number.end() and at - number.start() <= _LONGEST_NUMBER:
            return number.start()
    return at


def cut(label: str, most: int) -> str:
    """A label on one line of at most `most` characters: its beginning and its end. A number is
    there as a whole or not at all.
    """
    if len(label) <= most:
        return label
    start = _before_number(label, len(label) - most // 2)
    end = _before_number(label, max(0, most - 1 - (len(label) - start)))
    return f"{label[:end].rstrip()}…{label[start:].lstrip()}"


def lines_of(labels: Sequence[str], width: int = NAME_WIDTH) -> int:
    """The most lines that one of these labels takes."""
    return max((wrapped(label, width).count("\n") + 1 for label in labels), default=1)


def names_inches(labels: Sequence[str], width: int = NAME_WIDTH) -> float:
    """The width of the longest line of these labels, in inches at a font size of 10."""
    lines = [line for label in labels for line in wrapped(label, width).split("\n")]
    return CHARACTER * max(map(len, lines), default=0)


def row_inches(rows: Sequence[str], least: float) -> float:
    """The height of a row whose name is beside it, in inches."""
    lines = lines_of(rows)
    return least if lines == 1 else max(least, LINE * lines + 0.08)
