"""Whether a cell is feasible. An infeasible cell is a dash in the report; errors stop the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core import registry
from harness.core.cells import ONLY_TUNED, Cell, Recipe
from harness.core.errors import TaskError
from harness.core.facts import CellFacts
from harness.core.protocols.method import OF_SUPPORT
from harness.plan.catalogue import Catalogue, Chosen, blame
from harness.plan.other_classes import cannot_name
from harness.plan.resolve import Setup, has_training_samples
from harness.plan.samples import check_classes, check_test, too_few
from harness.plan.saved import restored, why_other_model
from harness.plan.shared_classes import refuse_shared_classes
from harness.plan.solvable import why_unsolvable
from harness.plan.support_views import taken_rows, why_no_views
from harness.plan.texts import class_lists, reads_texts
from harness.plan.towers import why_not_tuned
from harness.sampling.crops import COUNTS
from harness.sampling.views import views

NO_TEXT = "the encoder has no text tower: name a text_encoder"
DEFAULT = Recipe()
NO_SUPPORT = "there are no training samples in zero-shot"


def why_infeasible(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> str | None:
    """Why a cell is infeasible, or None.

    Raises TaskError for a setting that is wrong for all cells of the task.
    """
    _check_schedule(cell, where)
    _check_crops(cell, where)
    _check_sizes(cell, setup, where)
    check_classes(cell, setup, where)
    check_test(cell, setup, catalogue, where)
    refuse_shared_classes(cell, setup, catalogue, where)
    reason = why_no_views(cell, setup) or too_few(cell, setup, catalogue, where)
    if reason is not None:
        return reason
    facts = CellFacts(
        _most_rows(cell, setup),
        taken_rows(cell, setup),
        setup.facts,
        linear_head=cell.head is not None and setup.is_linear,
        takes_context=setup.text_encoder.plugin.TAKES_CONTEXT,
        restored=restored(cell, setup),
    )
    reason = _refused_by_plugin(cell, setup, facts, catalogue, where)
    reason = reason or cannot_name(cell, setup)
    _check_texts(cell, setup, catalogue, where)
    _check_validation(cell, setup, where)
    reason = reason or _cannot_train(cell, setup, where) or _cannot_fit(cell, setup, where)
    return reason or _cannot_probe(cell, setup) or why_other_model(cell, setup, where)


def _most_rows(cell: Cell, setup: Setup) -> int:
    """The most rows that W has, in training or on the test set."""
    tested = len(setup.row_names)
    return tested if cell.regime == "zero_shot" else max(tested, len(setup.trained.names))


def _refused_by_plugin(
    cell: Cell, setup: Setup, facts: CellFacts, catalogue: Catalogue, where: str
) -> str | None:
    """The first reason given by a plugin of the cell, or that follows from its USES."""
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
    """Why an input that a plugin names in USES is not available."""
    if key not in ("paradigm", "classifier", "alignment", "method"):
        return None
    uses: Sequence[str] = part.plugin.USES
    if "text" in uses and facts.encoder.text_dim is None:
        return NO_TEXT
    # In zero-shot the test classes have no training samples for a classifier. `_cannot_fit` says
    # whether a method can use those of the training classes.
    of_any_class = key in ("alignment", "method")
    samples = facts.per_class is not None if of_any_class else cell.regime != "zero_shot"
    return NO_SUPPORT if not samples and not set(OF_SUPPORT).isdisjoint(uses) else None


def _check_texts(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> None:
    """Raises TaskError for classes that the prompt has no texts for."""
    if not reads_texts(cell, setup):
        return

    def check() -> None:
        with blame(where, setup.prompt_key):
            for names in class_lists(setup):
                setup.prompt.plugin.texts(names, setup.prompt.options)

    key = ("texts", setup.prompt.choice, id(setup.trained), id(setup.tested))
    catalogue.remember(key, check)


def _check_validation(cell: Cell, setup: Setup, where: str) -> None:
    """Raises TaskError where a plugin looks at validation samples that the task does not name."""
    if "validation" in setup.uses and cell.val is None:
        part = setup.method or setup.classifier
        what = part.choice if part else cell.paradigm
        raise TaskError(where, "val", f"is missing: {what} uses validation samples")


def _check_crops(cell: Cell, where: str) -> None:
    crops = views(cell.views)[1]
    if cell.crops is not None and crops not in COUNTS:
        problem = f"{cell.views}: crops: {cell.crops} knows 1 or 3 crops"
        raise TaskError(where, "views", problem)


def _check_schedule(cell: Cell, where: str) -> None:
    released = (cell.schedule or "").partition(":")[2]
    if not released or cell.recipe is None:
        return
    fewest = min(dict(cell.search or ()).get("epochs", (cell.recipe.epochs,)))
    if int(released) >= fewest:
        raise TaskError(where, "schedule", f"{cell.schedule} is after the last epoch")


def _check_sizes(cell: Cell, setup: Setup, where: str) -> None:
    """Raises TaskError if sizes of images or widths of embeddings do not match."""
    encoder = setup.facts
    if encoder.fixed_resolution and cell.resolution not in (None, encoder.resolution):
        only = f"{cell.encoder} reads images of {encoder.resolution} pixels only"
        raise TaskError(where, "resolution", f"{cell.resolution}: {only}")
    if cell.alignment is None and encoder.text_dim not in (None, encoder.dim):
        raise TaskError(
            where,
            "alignment",
            f"the text embeddings of {cell.text_encoder or cell.encoder} have width "
            f"{encoder.text_dim}, the image embeddings of {cell.encoder} width {encoder.dim}: name "
            "an alignment",
            allowed=registry.names("alignment"),
        )


def _cannot_train(cell: Cell, setup: Setup, where: str) -> str | None:
    """Why the parts of a cell cannot be trained together."""
    kinds = {data.kind == "clips" for data in (setup.dataset, setup.test_dataset)}
    if len(kinds) > 1:
        problem = f"{cell.dataset} and {cell.test_dataset}: one has videos, the other images"
        raise TaskError(where, "test_dataset", problem)
    recipe = cell.recipe
    if recipe is None:
        return None
    reason = why_not_tuned(cell, setup)
    if reason is not None:
        return reason
    if recipe.augment != "none" and not cell.tunes_backbone:
        return (
            f"recipe.augment: {recipe.augment} needs a tuned backbone (tuning: all, norm, bias or "
            "lora), as features are computed once"
        )
    for key in ONLY_TUNED:
        value = getattr(recipe, key)
        if value != getattr(DEFAULT, key) and not cell.tunes_backbone:
            return f"recipe.{key}: {value} is of a backbone that is tuned (tuning: all)"
    if cell.gather is False and recipe.micro_batch is None:
        problem = "gather: false contrasts the samples of each micro-batch"
        raise TaskError(where, "recipe.micro_batch", f"is missing: {problem}")
    return why_unsolvable(cell, setup, where)


def _cannot_probe(cell: Cell, setup: Setup) -> str | None:
    """Why a head on frozen features cannot be trained."""
    if cell.tuning != "head":
        return None
    if cell.regime == "zero_shot":
        return "a head on frozen features names only the classes that it was trained on"
    if setup.classifier is None:
        return f"paradigm {cell.paradigm} has no head that starts from a classifier"
    return None


def _cannot_fit(cell: Cell, setup: Setup, where: str) -> str | None:
    """Why a method cannot be fitted."""
    if setup.method is None:
        return None
    fitted = setup.uses & {*OF_SUPPORT, "validation"} or cell.val is not None
    if fitted and has_training_samples(cell) and setup.row_names != setup.trained.names:
        return "a method needs training samples of the test classes"
    return None
