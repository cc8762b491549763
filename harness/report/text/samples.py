"""Which samples were trained on, and which were looked at for selection, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.cells import OWN, Cell, Choice
from harness.core.words import plural
from harness.report.text.prose import escape, listing
from harness.task.grid import value_of


def sample_lines(cells: Sequence[Cell]) -> list[str]:
    """Lines of the method section: a precision of features other than float32, views of support
    pictures, support sets that the harness did not draw by its own rule, and validation samples of
    an official split.
    """
    lines = []
    precisions = dict.fromkeys(value_of(c, "feature_precision") for c in cells)
    if set(precisions) - {None, "float32"}:
        lines.append(f"- Precision of features: {listing([p for p in precisions if p])}")
    views = dict.fromkeys(c.support_views for c in cells)
    if set(views) - {None}:
        lines.append(f"- Support views: {listing([views_text(v) for v in views])}")
    supports = dict.fromkeys(c.support for c in cells if c.shots is not None)
    if set(supports) - {OWN}:
        lines.append(f"- Support sets: {listing([support_text(s) for s in supports])}")
    official = dict.fromkeys(c.val for c in cells if isinstance(c.val, Choice))
    if official:
        lines.append(f"- Validation samples: {listing([val_text(v) for v in official])}")
    return lines


#: How the views of a support picture are used.
_USES = {
    "pool": "each is a sample",
    "mean": "the mean of their features is the sample",
    "cycle": "epoch e reads view e mod n, and classifiers see the mean of their features",
}


def views_text(views: Choice | None) -> str:
    """`10 random crops of each support picture ...` and the like."""
    if views is None:
        return "none (the pictures themselves)"
    options = dict(views.options)
    low, high = options["scale"]
    flipped = "flipped in one of two" if options["flip"] else "never flipped"
    crops = "1 random crop" if options["n"] == 1 else f"{options['n']} random crops"
    drawn = f"{100 * low:g} to {100 * high:g}% of its area, {flipped}; the same for every seed"
    return f"{crops} of each support picture ({drawn}): {_USES[views.name]}"


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
        return f"{plural(val, 'validation sample')} per class"
    per_class = dict(val.options).get("per_class")
    if per_class is None:
        return "the whole official validation split"
    if per_class == "coop":
        return "min(K, 4) samples per class of the official validation split (CoOp's draw)"
    return f"{plural(per_class, 'sample')} per class of the official validation split"
