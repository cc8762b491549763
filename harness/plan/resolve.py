"""The plugins that a cell names, found, validated and opened once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.core import registry
from harness.core.cells import Cell, Choice
from harness.core.errors import BadInput, EncoderError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.core.protocols.dataset import Dataset
from harness.sampling.classes import pick_classes


@cache
def options(kind: str, choice: Choice) -> tuple[Any, str, Any]:
    """(plugin, argument, validated options) of a Choice.

    Raises UnknownName, or BadInput for an option that the plugin does not have.
    """
    family, argument = (
        registry.split_reference(choice.name)
        if kind in ("dataset", "encoder")
        else (choice.name, "")
    )
    found = registry.plugin(kind, family)
    try:
        return found, argument, found.Options(**dict(choice.options))
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(str(part) for part in first["loc"])
        known = list(found.Options.model_fields)
        if first["type"] == "extra_forbidden":
            problem = f"there is no such option; allowed: {', '.join(known) or 'none'}"
            problem += did_you_mean(nearest(option, known))
        else:
            problem = f"{first.get('input')!r}: {first['msg'].removeprefix('Value error, ')}"
        raise BadInput(f"{choice.name}: option {option}: {problem}") from error


def open_dataset(choice: Choice) -> Dataset:
    found, argument, opts = options("dataset", choice)
    dataset: Dataset = found.open_dataset(argument, opts)
    return dataset


@cache
def encoder_facts(choice: Choice) -> EncoderFacts:
    """Raises EncoderError for an encoder without an image side."""
    found, argument, opts = options("encoder", choice)
    if not hasattr(found, "build_image"):
        raise EncoderError(
            f"{choice} reads texts only: it belongs under 'text_encoder', beside an encoder of "
            "pictures"
        )
    facts: EncoderFacts = found.facts(argument, opts)
    return facts


@cache
def text_facts(choice: Choice) -> EncoderFacts:
    """Raises EncoderError for an encoder without a text tower."""
    found, argument, opts = options("encoder", choice)
    if not hasattr(found, "build_text"):
        raise EncoderError(f"{choice} reads pictures only: it has no text tower")
    facts: EncoderFacts = found.facts(argument, opts)
    return facts


def text_encoder(cell: Cell) -> Choice:
    """Whose text tower reads the class texts."""
    return cell.text_encoder or cell.encoder


def evaluation_texts(prompt: Choice, names: Sequence[str]) -> list[list[str]]:
    """For every class the texts that evaluation embeds."""
    found, _, opts = options("prompt", prompt)
    wording = getattr(found, "evaluation_texts", found.texts)
    texts: list[list[str]] = wording(names, opts)
    return texts


def init_file(init: str, runs: Path) -> Path:
    """Saved weights: a file, or `TASK#train_key` for those that `save: last` left in the runs
    folder.

    Raises EncoderError if there is no such file.
    """
    task, separator, train_key = init.rpartition("#")
    ran = sorted(p.parent.name for p in runs.glob("*/keys.json")) if separator else []
    if ran and task not in ran:
        raise EncoderError(
            f"no task '{task}' was run in {runs}; run were: {', '.join(ran)}"
            + did_you_mean(nearest(task, ran))
        )
    path = runs / "checkpoints" / train_key / "weights.safetensors" if separator else Path(init)
    if not path.is_file():
        how = f"; run task {task} with save=last first" if separator else ""
        raise EncoderError(f"there are no saved weights {path}{how}")
    return path


@cache
def test_classes(cell_dataset: Choice, classes: Any, class_seed: int | None) -> tuple[int, ...]:
    return pick_classes(open_dataset(cell_dataset), classes, class_seed)


def classes_of(cell: Cell) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(classes trained on, classes tested), as indices of their datasets.

    Across data sets the test set is read with its own classes.
    """
    tested = test_classes(cell.dataset, cell.classes, cell.class_seed)
    if cell.test_dataset is not None:
        trained = tested
        if cell.train_classes is not None:
            trained = pick_classes(open_dataset(cell.dataset), cell.train_classes, cell.class_seed)
        elsewhere = tuple(range(len(open_dataset(cell.test_dataset).classes)))
        return trained, elsewhere
    if cell.train_classes is None:
        return tested, tested
    data = open_dataset(cell.dataset)
    return pick_classes(data, cell.train_classes, cell.class_seed, without=tested), tested
