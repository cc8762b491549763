"""Names of columns below an axis: wrapped where that is enough, else slanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.render.wrap import CHARACTER, LINE, cut, wrapped

_FONT, _SLANT = 9, 40.0
_LONGEST = 40  # characters of a slanted name


@dataclass(frozen=True)
class Ticks:
    """Labels of ticks, how they are drawn, and the height that they take, in inches."""

    labels: list[str]
    style: dict[str, Any]
    height: float


def column_ticks(labels: Sequence[str], slot: float) -> Ticks:
    """`slot` is the width of a column, in inches: no label is wider, or all are slanted."""
    scale = _FONT / 10
    room = int(slot / (CHARACTER * scale)) - 1
    if max(len(word) for label in labels for word in label.split()) <= room:
        fitted = [wrapped(label, room) for label in labels]
        if not any("…" in label for label in fitted):
            lines = 1 + max(label.count("\n") for label in fitted)
            return Ticks(fitted, {"fontsize": _FONT}, LINE * scale * lines)
    shown = [cut(label, _LONGEST) for label in labels]
    longest = max(map(len, shown)) * CHARACTER * scale
    style = {"fontsize": _FONT, "rotation": _SLANT, "ha": "right", "rotation_mode": "anchor"}
    return Ticks(shown, style, longest * math.sin(math.radians(_SLANT)) + 0.15)
