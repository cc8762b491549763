"""Classes that cannot be told apart by their texts: found before the first step, told or refused.

C classes, D width of an embedding. Rows of W that use no text are exempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.errors import CellError
from harness.core.listing import MOST_NAMED, paired, quoted
from harness.core.perils import EQUAL_TEXTS
from harness.core.text_context import TextContext
from harness.core.text_findings import Pairs
from harness.plan.resolve import ResolvedCell
from harness.run.resources import Resources

if TYPE_CHECKING:
    import torch


def uses_text(resolved: ResolvedCell) -> bool:
    """Whether the first rows of W, or a method, are made of class texts."""
    setup = resolved.setup
    parts = (setup.method, setup.classifier) if setup.method else ()
    used = parts or (setup.classifier or setup.paradigm,)
    return any(part is not None and "text" in part.plugin.USES for part in used)


def text_warnings(
    resolved: ResolvedCell,
    names: tuple[str, ...],
    w_CD: torch.Tensor | None,
    resources: Resources,
) -> tuple[str, ...]:
    """What a reader of the cell's numbers should know of the texts of the classes `names`, and of
    the rows of W that are made of them. It is printed once a run.

    Raises CellError for equal rows, unless the task accepts them.
    """
    if w_CD is None or not uses_text(resolved):
        return ()
    cut = _cut(resolved, names, resources)
    resources.tell(cut)
    rows = _rows(resolved, names, w_CD, resources)
    resources.tell(rows)
    return (*cut, *rows)


def cut_warnings(
    resolved: ResolvedCell, names: tuple[str, ...], resources: Resources, context: TextContext
) -> tuple[str, ...]:
    """Which class texts are cut because of a learned context."""
    cut = [names[c] for c in resources.cut_short(resolved, names, context)]
    encoder = resolved.setup.text_encoder.choice
    warnings = (
        (
            f"{encoder} cuts {_what(context)} of {_classes(len(cut))} at their end "
            f"{_where(context)} a context of {context.length} vectors: {quoted(cut)}.",
        )
        if cut
        else ()
    )
    resources.tell(warnings)
    return warnings


def _what(context: TextContext) -> str:
    return "the texts" if context.form.position == "before" else "the names"


def _where(context: TextContext) -> str:
    return {"before": "behind", "around": "in", "behind": "before"}[context.form.position]


def _rows(
    resolved: ResolvedCell, names: tuple[str, ...], w_CD: torch.Tensor, resources: Resources
) -> tuple[str, ...]:
    """Rows that are equal, if the task accepts that, and rows that are close."""
    rows, encoder = resources.equal_rows(w_CD), resolved.setup.text_encoder.choice
    warnings = []
    if rows.n_equal:
        told = paired(_named(rows.equal, names), rows.n_equal)
        what = f"the text embeddings of {encoder} give equal rows of W to {told}"
        if EQUAL_TEXTS not in resolved.cell.allow:
            raise CellError(
                f"{what}: no classifier tells these classes apart by their texts; give them other "
                f"names or another prompt, or accept it with allow: [{EQUAL_TEXTS}]"
            )
        warnings.append(f"{what[0].upper()}{what[1:]}.")
    if rows.n_close:
        told = paired(_named(rows.close, names), rows.n_close)
        warnings.append(f"The rows of W of {told} have a cosine above 0.999 under {encoder}.")
    return tuple(warnings)


def _cut(resolved: ResolvedCell, names: tuple[str, ...], resources: Resources) -> tuple[str, ...]:
    """Which class texts are cut, because the text encoder reads fewer tokens."""
    found = resources.text_findings(resolved, names)
    if not found.n_cut:
        return ()
    more = ", ..." if found.n_cut > len(found.cut) else ""
    return (
        f"{resolved.setup.text_encoder.choice} cuts the texts of {_classes(found.n_cut)} at their "
        f"end: {quoted([names[c] for c in found.cut])}{more}.",
    )


def _classes(count: int) -> str:
    return f"{count} class" if count == 1 else f"{count} classes"


def _named(pairs: Pairs, names: Sequence[str]) -> list[tuple[str, str]]:
    return [(names[a], names[b]) for a, b in pairs[:MOST_NAMED]]
