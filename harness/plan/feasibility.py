"""Why a cell cannot exist: reasons that are a dash in the report, and errors that stop the task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from harness.core import registry
from harness.core.cells import Cell, Choice
from harness.core.errors import BadInput, TaskError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.dataset import Dataset
from harness.plan.resolve import (
    classes_of,
    encoder_facts,
    open_dataset,
    options,
    text_encoder,
    text_facts,
)
from harness.sampling.views import are_clips


def why_not(cell: Cell, where: str) -> str | None:
    """Why a cell cannot exist, or None.

    Raises BadInput for what no cell of this task can have.
    """
    with named(where, "paradigm"):
        options("paradigm", cell.paradigm)
    _refuse_not_built(cell, where)
    with named(where, "dataset"):
        dataset = open_dataset(cell.dataset)
    if cell.test_dataset is not None:
        with named(where, "test_dataset"):
            dataset_of_test = open_dataset(cell.test_dataset)
    else:
        dataset_of_test = dataset
    with named(where, ""):  # these errors begin with their key
        trained, tested = classes_of(cell)
    encoder = replace(image_facts(cell, where), text_dim=text_dim(cell, where))
    _check_sizes(cell, encoder, where)
    facts = CellFacts(len(tested), smallest_class(cell, dataset, trained), encoder)
    available = facts.per_class
    if cell.shots is not None and available is not None and cell.shots > available:
        few = f"{cell.shots} is more than the {available} training samples of a class"
        raise TaskError(where, "shots", few)
    if cell.val is not None and available is not None and (cell.shots or 1) + cell.val > available:
        return f"of {available} samples of a class none are left for {cell.val} of validation"
    if not trained or not tested:
        raise TaskError(where, "classes", f"{cell.classes.plain()} leaves no class")
    _check_test(cell, dataset_of_test, tested, where)
    if facts.per_class == 0 and cell.tuning != "none":
        raise TaskError(where, "dataset", f"{cell.dataset} has a class without training samples")
    if cell.prompt is not None:
        with named(where, "prompt"):
            options("prompt", cell.prompt)
    alignment = Choice(cell.alignment) if cell.alignment else None
    plugins = [
        ("dataset", cell.dataset), ("encoder", cell.encoder),
        ("paradigm", cell.paradigm), ("classifier", cell.classifier), ("alignment", alignment),
        ("temporal", cell.temporal), ("prompt", cell.prompt),
    ]  # fmt: skip
    for kind, choice in plugins:
        if choice is None:
            continue
        with named(where, kind):
            plugin = options(kind, choice)[0]
            reason = plugin.check(cell, facts) if hasattr(plugin, "check") else None
        if reason is not None:
            return str(reason)
    return _cannot_train(cell, dataset, dataset_of_test, where)


def _cannot_train(cell: Cell, dataset: Dataset, of_test: Dataset, where: str) -> str | None:
    """What the parts of a cell cannot do together."""
    if are_clips(dataset) != are_clips(of_test):
        problem = f"{cell.dataset} and {cell.test_dataset}: one has videos, the other pictures"
        raise TaskError(where, "test_dataset", problem)
    recipe = cell.recipe
    if recipe is None:
        return None
    if cell.text_tower == "online":
        reason = _cannot_train_texts(cell)
        if reason is not None:
            return reason
    if recipe.augment != "none" and cell.tuning != "all":
        return f"recipe.augment: {recipe.augment} needs tuning: all, as features are computed once"
    if cell.gather is False and recipe.micro_batch is None:
        problem = "gather: false contrasts within micro-batches, as processes that do not gather do"
        raise TaskError(where, "recipe.micro_batch", f"is missing: {problem}")
    return None


def _cannot_train_texts(cell: Cell) -> str | None:
    tower = text_encoder(cell)
    if not getattr(options("encoder", tower)[0], "TAKES_CONTEXT", False):
        return f"text_tower: online: the text tower of {tower} cannot be trained"
    found, _, opts = options("prompt", cell.prompt or Choice("class_name"))
    if hasattr(found, "drawn") and found.drawn(opts):
        return "text_tower: online: templates are drawn from texts that are embedded beforehand"
    return None


@contextmanager
def named(where: str, key: str) -> Iterator[None]:
    """What a plugin cannot know of its error: the file and the key that it came from."""
    try:
        yield
    except TaskError:
        raise
    except BadInput as error:
        told = str(error).removeprefix(f"{key}: ")  # some say it where nobody else does
        raise TaskError(where, key, told) from error


def _refuse_not_built(cell: Cell, where: str) -> None:
    """Values that the task format knows and this version cannot run."""
    if cell.method is not None:
        raise TaskError(where, "method", f"{cell.method}: a method of others is not built yet")
    released = (cell.schedule or "").partition(":")[2]
    fewest = min(dict(cell.search or ()).get("epochs", (cell.recipe.epochs,))) if cell.recipe else 0
    if released and cell.recipe and int(released) >= fewest:
        raise TaskError(where, "schedule", f"{cell.schedule} is after the last epoch")


def image_facts(cell: Cell, where: str) -> EncoderFacts:
    with named(where, "encoder"):
        return encoder_facts(cell.encoder)


def text_dim(cell: Cell, where: str) -> int | None:
    """Width of the cell's texts; None if nobody reads them."""
    if cell.text_encoder is None:
        return image_facts(cell, where).text_dim
    with named(where, "text_encoder"):
        return text_facts(cell.text_encoder).text_dim


def _check_sizes(cell: Cell, encoder: EncoderFacts, where: str) -> None:
    """Raises TaskError for sizes of pictures or embeddings that cannot meet."""
    if encoder.fixed_resolution and cell.resolution not in (None, encoder.resolution):
        only = f"{cell.encoder} reads pictures of {encoder.resolution} only"
        raise TaskError(where, "resolution", f"{cell.resolution}: {only}")
    if cell.alignment is None and encoder.text_dim not in (None, encoder.dim):
        raise TaskError(
            where,
            "alignment",
            f"{text_encoder(cell)} gives texts of width {encoder.text_dim}, {cell.encoder} "
            f"pictures of width {encoder.dim}: the task must say how they meet",
            allowed=registry.names("alignment"),
        )


def _check_test(cell: Cell, dataset: Dataset, tested: Sequence[int], where: str) -> None:
    """Raises TaskError for a class that nothing would be tested on."""
    counts = np.bincount(dataset.test.labels, minlength=len(dataset.classes))
    empty = [dataset.classes[c] for c in tested if not counts[c]]
    if empty:
        key = "dataset" if cell.test_dataset is None else "test_dataset"
        raise TaskError(where, key, f"class '{empty[0]}' has no test samples")


def smallest_class(cell: Cell, dataset: Dataset, trained: Sequence[int]) -> int | None:
    if cell.regime == "zero_shot" and cell.train_classes is None:
        return None
    counts = np.bincount(dataset.train.labels, minlength=len(dataset.classes))
    return int(min((counts[c] for c in trained), default=0))
