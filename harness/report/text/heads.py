"""What the ends of heads on frozen features say about the part that the start plays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.report.model.heads import NEARLY, HeadEnd
from harness.report.text.prose import escape, listing

_LINEAR = (
    "The loss of a linear head is convex, also where it is trained by steps: longer training takes "
    "every start to the same loss, and what is left of the initialisation there is early stopping "
    "(and, with fewer samples than features, directions of W that no training sample has)."
)
_COSINE = (
    "The loss of a cosine head is not convex: there may be several stationary points, so starts "
    "may differ after convergence too."
)
_UNKNOWN = (
    "whether they have converged is not known (no gradient at the start in the Record, or "
    "recipe.proximal)"
)
_NEARLY = (
    "Heads that were trained by steps have nearly converged where the gradient norm at the end is "
    f"at most {NEARLY} of that at the start (mean over seeds)."
)


def of_heads(ends: Sequence[HeadEnd]) -> str:
    """A few sentences: on convex heads, and on those that were trained by steps."""
    solved = [end for end in ends if end.convex]
    linear = [end for end in ends if end.linear and not end.convex]
    cosine = [end for end in ends if not end.linear and not end.convex]
    parts = [_solved(solved, every=len(solved) == len(ends))] if solved else []
    parts += [_NEARLY] if linear or cosine else []
    if linear:
        parts.append(f"Linear heads: {_converged(linear)}. {_LINEAR}")
    if cosine:
        parts.append(f"Cosine heads: {_converged(cosine)}. {_COSINE}")
    return "\n\n".join(parts)


def _solved(solved: Sequence[HeadEnd], *, every: bool) -> str:
    who = "All heads were" if every else f"The heads of {_names(solved)} were"
    return (
        f"{who} solved to the optimum of a convex problem. The start plays no part there: cells "
        "that differ in it alone are solved once and have equal results by construction."
    )


def _converged(ends: Sequence[HeadEnd]) -> str:
    """`nearly converged in every column: a; in no column: b`: rows by how many they have."""
    by_row: dict[str, list[bool | None]] = {}
    for end in ends:
        by_row.setdefault(end.row, []).append(end.nearly_converged)
    every: list[str] = []
    some: list[str] = []
    none: list[str] = []
    unknown: list[str] = []
    for row, found in by_row.items():
        if None in found:
            unknown.append(escape(row))
        elif all(found):
            every.append(escape(row))
        elif any(found):
            some.append(f"{escape(row)} ({found.count(True)} of {len(found)})")
        else:
            none.append(escape(row))
    known = [
        f"in {how}: {listing(rows)}"
        for how, rows in (("every column", every), ("some columns", some), ("no column", none))
        if rows
    ]
    parts = [f"nearly converged {'; '.join(known)}"] if known else []
    parts += [f"{_UNKNOWN}: {listing(unknown)}"] if unknown else []
    return "; ".join(parts)


def _names(ends: Iterable[HeadEnd]) -> str:
    return listing(list(dict.fromkeys(escape(end.row) for end in ends)))
