"""Heads that name only the classes that they were trained on, where other classes are tested."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.cells import Cell
from harness.core.listing import quoted
from harness.plan.resolve import Setup
from harness.sampling.class_names import name_key

ONLY_TRAINED = "names only the classes that it was trained on"


def cannot_name(cell: Cell, setup: Setup) -> str | None:
    """Why the cell's head has no rows for the tested classes; None if it has, or can make them.

    In zero-shot every paradigm and classifier decides that itself, and a learned context.
    """
    if cell.tuning != "none" and has_context_of_classes(cell, setup):
        unknown = [name for name in setup.row_names if name not in set(setup.trained.names)]
        if unknown:
            told = _not_trained_on(unknown, len(setup.row_names))
            return f"a class-specific context {ONLY_TRAINED}, and {told}"
    if cell.regime == "zero_shot" or setup.method is not None:
        return None
    if setup.row_names == setup.trained.names:
        return None
    head = _head_of_its_classes(cell, setup)
    if head is None:
        return None
    trained = {name_key(name) for name in setup.trained.names}
    others = [name for name in setup.tested.names if name_key(name) not in trained]
    return f"{head}, and {_not_trained_on(others, len(setup.tested.names))}"


def has_context_of_classes(cell: Cell, setup: Setup) -> bool:
    """Whether the learned context of a cell's texts has vectors for every class trained on."""
    prompt, options = setup.prompt.plugin, setup.prompt.options
    reads = cell.prompt is not None and "text" in setup.uses
    return reads and prompt.TRAINED and prompt.context_form(options).class_specific


def _not_trained_on(others: Sequence[str], tested: int) -> str:
    if len(others) == tested:
        return f"none of the {tested} tested classes was trained on"
    verb = "was" if len(others) == 1 else "were"
    return f"{len(others)} of the {tested} tested classes {verb} not trained on: {quoted(others)}"


def _head_of_its_classes(cell: Cell, setup: Setup) -> str | None:
    """Why the rows of W belong to the classes trained on; None where texts make rows of others."""
    if cell.head is not None:
        return f"a head on frozen features {ONLY_TRAINED}"
    if setup.classifier is None:
        uses = setup.paradigm.plugin.USES if setup.paradigm is not None else ()
        return None if "text" in uses else f"a random head {ONLY_TRAINED}"
    if cell.schedule not in (None, "frozen"):
        return f"a trained W {ONLY_TRAINED}"
    materials = setup.classifier.plugin.USES
    if "text" in materials and "support" not in materials:
        return None
    return f"classifier {cell.classifier} has rows for the classes trained on only"
