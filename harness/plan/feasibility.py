"""Why a cell is infeasible: a dash in the report; and errors that stop the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core import registry
from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.core.facts import CellFacts
from harness.plan.catalogue import Catalogue, Chosen, blame
from harness.plan.resolve import Setup, has_training_samples

NO_TEXT = "the encoder has no text tower: name a text_encoder"
NO_SUPPORT = "there are no training samples in zero-shot"


def why_infeasible(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> str | None:
    """Why a cell is infeasible, or None.

    Raises TaskError for what no cell of this task can have.
    """
    _check_schedule(cell, where)
    _check_sizes(cell, setup, where)
    facts = CellFacts(
        len(setup.tested.indices),
        setup.per_class,
        setup.facts,
        takes_context=setup.text_encoder.plugin.TAKES_CONTEXT,
    )
    available = facts.per_class
    if cell.shots is not None and available is not None and cell.shots > available:
        few = f"{cell.shots} is more than the {available} training samples of a class"
        raise TaskError(where, "shots", few)
    if cell.val is not None and available is not None and (cell.shots or 1) + cell.val > available:
        return f"of {available} samples of a class none are left for {cell.val} of validation"
    if not setup.trained.indices or not setup.tested.indices:
        raise TaskError(where, "classes", f"{cell.classes.plain()} leaves no class")
    _check_test(cell, setup, catalogue, where)
    if facts.per_class == 0 and (cell.tuning != "none" or cell.method is not None):
        raise TaskError(where, "dataset", f"{cell.dataset} has a class without training samples")
    reason = _refused_by_plugin(cell, setup, facts, catalogue, where)
    return reason or _cannot_train(cell, setup, where) or _cannot_fit(cell, setup, where)


def _refused_by_plugin(
    cell: Cell, setup: Setup, facts: CellFacts, catalogue: Catalogue, where: str
) -> str | None:
    """The first reason that a plugin of the cell gives, or that follows from what it USES."""
    parts: list[tuple[str, Chosen[Any] | None]] = [
        ("dataset", catalogue.dataset_plugin(cell.dataset)), ("encoder", setup.encoder),
        ("paradigm", setup.paradigm), ("classifier", setup.classifier),
        ("alignment", setup.alignment), ("temporal", setup.inside or setup.over_frames),
        ("prompt", setup.prompt if cell.prompt is not None else None), ("method", setup.method),
    ]  # fmt: skip
    for key, part in parts:
        if part is None:
            continue
        with blame(where, key):
            reason = part.plugin.check(cell, facts)
        reason = reason or _lacks(cell, key, part, facts)
        if reason is not None:
            return reason
    return None


def _lacks(cell: Cell, key: str, part: Chosen[Any], facts: CellFacts) -> str | None:
    """Why a plugin will not get what it asks for in USES."""
    if key not in ("paradigm", "classifier", "alignment", "method"):
        return None
    uses: Sequence[str] = part.plugin.USES
    if "text" in uses and facts.encoder.text_dim is None:
        return NO_TEXT
    # In zero-shot the classes tested have no samples that a classifier could be made of.
    samples = facts.per_class is not None if key == "alignment" else cell.regime != "zero_shot"
    return NO_SUPPORT if "support" in uses and not samples else None


def _check_schedule(cell: Cell, where: str) -> None:
    released = (cell.schedule or "").partition(":")[2]
    if not released or cell.recipe is None:
        return
    fewest = min(dict(cell.search or ()).get("epochs", (cell.recipe.epochs,)))
    if int(released) >= fewest:
        raise TaskError(where, "schedule", f"{cell.schedule} is after the last epoch")


def _check_sizes(cell: Cell, setup: Setup, where: str) -> None:
    """Raises TaskError for sizes of pictures or embeddings that do not fit each other."""
    encoder = setup.facts
    if encoder.fixed_resolution and cell.resolution not in (None, encoder.resolution):
        only = f"{cell.encoder} reads pictures of {encoder.resolution} only"
        raise TaskError(where, "resolution", f"{cell.resolution}: {only}")
    if cell.alignment is None and encoder.text_dim not in (None, encoder.dim):
        raise TaskError(
            where,
            "alignment",
            f"{cell.text_encoder or cell.encoder} gives texts of width {encoder.text_dim}, "
            f"{cell.encoder} pictures of width {encoder.dim}: the task must say how they are "
            "aligned",
            allowed=registry.names("alignment"),
        )


def _check_test(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> None:
    """Raises TaskError for a class that has nothing to test."""
    counts = catalogue.class_counts(cell.test_dataset or cell.dataset, "test")
    pairs = zip(setup.tested.indices, setup.tested.names, strict=True)
    empty = [name for c, name in pairs if not counts[c]]
    if empty:
        key = "dataset" if cell.test_dataset is None else "test_dataset"
        raise TaskError(where, key, f"class '{empty[0]}' has no test samples")


def _cannot_train(cell: Cell, setup: Setup, where: str) -> str | None:
    """What the parts of a cell cannot do together."""
    kinds = {data.kind == "clips" for data in (setup.dataset, setup.test_dataset)}
    if len(kinds) > 1:
        problem = f"{cell.dataset} and {cell.test_dataset}: one has videos, the other pictures"
        raise TaskError(where, "test_dataset", problem)
    recipe = cell.recipe
    if recipe is None:
        return None
    if cell.text_tower == "online":
        reason = _cannot_train_texts(cell, setup)
        if reason is not None:
            return reason
    if recipe.augment != "none" and cell.tuning != "all":
        return f"recipe.augment: {recipe.augment} needs tuning: all, as features are computed once"
    if cell.gather is False and recipe.micro_batch is None:
        problem = "gather: false contrasts within micro-batches, as processes that do not gather do"
        raise TaskError(where, "recipe.micro_batch", f"is missing: {problem}")
    if not setup.solver.plugin.accepts([cell]):
        return f"recipe.solver: {setup.solver.choice} does not solve this kind of training"
    return None


def _cannot_train_texts(cell: Cell, setup: Setup) -> str | None:
    text_encoder = setup.text_encoder
    if not text_encoder.plugin.TAKES_CONTEXT:
        return f"text_tower: online: the text tower of {text_encoder.choice} cannot be trained"
    if setup.prompt.plugin.drawn(setup.prompt.options):
        return "text_tower: online: templates are drawn from texts that are embedded beforehand"
    return None


def _cannot_fit(cell: Cell, setup: Setup, where: str) -> str | None:
    """What a method of others cannot do."""
    if setup.method is None:
        return None
    if "validation" in setup.uses and cell.val is None:
        raise TaskError(where, "val", f"is missing: {cell.method} is fitted to validation samples")
    if "support" in setup.uses and has_training_samples(cell) and not setup.same_classes:
        return "a method is fitted to samples of the classes that are tested"
    return None
