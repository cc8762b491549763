"""Labels on several lines, and the space that they take in a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from harness.report.model.labels import JOINT

#: Most characters in a line of a row's name beside a figure.
NAME_WIDTH = 32
#: Mean width of a character and height of a line, in inches at a font size of 10.
CHARACTER, LINE = 0.083, 0.17
_MOST_LINES = 3
_NBSP = "\u00a0"


def wrapped(label: str, width: int) -> str:
    """A label in lines of at most `width` characters, three of them at most.

    Parts stay whole where they fit, with their separator at the end of the line. What has no space
    is left out before the last line, which an ellipsis shows.
    """
    width = max(4, width)
    parts = [part.replace(" ", _NBSP) if len(part) + 2 <= width else part
             for part in label.split(JOINT)]  # fmt: skip
    glued = f"{_NBSP}{JOINT.strip()} ".join(parts)
    lines = textwrap.wrap(glued, width)
    if len(lines) > _MOST_LINES:
        # Long names often differ at their end.
        lines = [lines[0], f"{lines[1][: width - 1].rstrip()}…", lines[-1]]
    return "\n".join(lines).replace(_NBSP, " ")


def cut(label: str, most: int) -> str:
    """A label on one line of at most `most` characters: its beginning and its end."""
    if len(label) <= most:
        return label
    end = most // 2
    return f"{label[: most - end - 1].rstrip()}…{label[-end:].lstrip()}"


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
