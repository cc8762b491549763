"""Which samples were trained on, and which were looked at for selection, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.cells import OWN, Cell, Choice
from harness.report.text.prose import escape, listing


def sample_lines(cells: Sequence[Cell]) -> list[str]:
    """Lines of the method section: support sets that the harness did not draw by its own rule, and
    validation samples of an official split.
    """
    lines = []
    supports = dict.fromkeys(c.support for c in cells if c.shots is not None)
    if set(supports) - {OWN}:
        lines.append(f"- Support sets: {listing([support_text(s) for s in supports])}")
    official = dict.fromkeys(c.val for c in cells if isinstance(c.val, Choice))
    if official:
        lines.append(f"- Validation samples: {listing([val_text(v) for v in official])}")
    return lines


def support_text(support: Choice) -> str:
    """`CoOp's draw` and the like."""
    if support.name == "coop":
        return "CoOp's draw (the seed is that of its generator)"
    if support.name == "file":
        return f"the published list {escape(dict(support.options)['path'])}"
    return "the harness's own draw"


def val_text(val: int | Choice) -> str:
    """`2 validation samples per class` and the like."""
    if isinstance(val, int):
        return f"{val} validation samples per class"
    per_class = dict(val.options).get("per_class")
    if per_class is None:
        return "the whole official validation split"
    if per_class == "coop":
        return "min(K, 4) samples per class of the official validation split (CoOp's draw)"
    return f"{per_class} samples per class of the official validation split"
