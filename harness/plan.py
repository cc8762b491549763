"""Cells -> what can run, under which key, in which packs, at what cost.

The key of a cell holds the schema number, the canonical cell and hashes of what it reads, so a
Record is never taken for that of other data, weights or texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from pydantic import ValidationError

from harness import resolve
from harness.errors import BadInput, EncoderError, TaskError, did_you_mean, nearest
from harness.grid import is_random
from harness.splits import pick_classes
from harness.store import Store
from harness.types import (
    EVALUATION_FIELDS,
    SCHEMA,
    Cell,
    CellFacts,
    Choice,
    Dataset,
    EncoderFacts,
    digest,
)

#: Seconds that a pack should last, so that starting a job is small beside it.
PACK_SECONDS = 120.0
#: Guess for a cell of which no Record tells better.
GUESSED_SECONDS = {"none": 0.05, "projection": 0.5, "all": 60.0}


@dataclass(frozen=True)
class Planned:
    """A cell that can run, with its keys."""

    cell: Cell
    key: str
    train_key: str


@dataclass(frozen=True)
class Pack:
    """Cells that share dataset, classes and encoder, to run in one job."""

    cells: tuple[Planned, ...]
    seconds: float


@dataclass
class Plan:
    cells: list[Planned] = field(default_factory=list)
    infeasible: list[tuple[Cell, str]] = field(default_factory=list)
    status: dict[str, str] = field(default_factory=dict)

    def missing(self) -> list[Planned]:
        """Cells without a Record."""
        return [p for p in self.cells if p.key not in self.status]

    def failed(self) -> list[Planned]:
        return [p for p in self.cells if self.status.get(p.key) == "failed"]

    def counts(self) -> dict[str, int]:
        """done, failed, waiting and infeasible."""
        states = [self.status.get(p.key, "waiting") for p in self.cells]
        found = {state: states.count(state) for state in ("done", "failed", "waiting")}
        return found | {"infeasible": len(self.infeasible)}

    def reasons(self) -> dict[str, int]:
        """Why cells cannot exist -> how many."""
        found: dict[str, int] = {}
        for cell, reason in self.infeasible:
            what = f"{cell.classifier or cell.paradigm}: {reason}"
            found[what] = found.get(what, 0) + 1
        return found


def make_plan(cells: Iterable[Cell], store: Store, where: str = "task") -> Plan:
    """Keys, feasibility and state of every cell.

    Raises BadInput for a dataset, encoder, classifier, ... that does not exist or cannot be read.
    """
    plan = Plan()
    reasons: dict[Cell, str | None] = {}
    contents: dict[Cell, tuple[str, str]] = {}
    for cell in _aligned_where_needed(cells, where):
        sample = replace(cell, seed=None)
        if sample not in reasons:
            reasons[sample] = _why_not(sample, where)
        reason = reasons[sample]
        if reason is not None:
            plan.infeasible.append((cell, reason))
            continue
        shared = replace(
            sample, shots=None, fraction=None, classifier=None, schedule=None, recipe=None
        )
        if shared not in contents:
            contents[shared] = _contents(cell)
        plan.cells.append(_with_keys(cell, *contents[shared]))
    plan.status = store.statuses(p.key for p in plan.cells)
    return plan


def _aligned_where_needed(cells: Iterable[Cell], where: str) -> Iterator[Cell]:
    """An alignment has no meaning where the widths agree: it is null there, and cells that become
    equal are one cell.
    """
    seen: set[Cell] = set()
    for cell in cells:
        if cell.alignment is None:
            yield cell
            continue
        with _named(where, "alignment"):  # a wrong name is told even where it has no meaning
            options("alignment", Choice(cell.alignment))
        made = cell
        if _text_dim(cell, where) in (None, _image_facts(cell, where).dim):
            made = replace(cell, alignment=None)
            axes = ("tuning", "classifier", "alignment", "regime")
            if not is_random({name: getattr(made, name) for name in axes}):
                made = replace(made, seed=None)
        if made not in seen:
            seen.add(made)
            yield made


def packs(cells: Sequence[Planned], jobs: int, seconds: dict[str, float]) -> list[Pack]:
    """Cells that share features stay together; a pack lasts PACK_SECONDS, or less to fill the jobs.

    Longest first, so that the last job to end ends early.
    """
    groups: dict[Any, list[Planned]] = {}
    for planned in cells:
        c = planned.cell
        groups.setdefault((c.dataset, c.encoder, c.resolution, c.tuning), []).append(planned)
    made: list[Pack] = []
    for group in groups.values():
        cost = [seconds.get(p.key) or guess(p.cell) for p in group]
        target = min(PACK_SECONDS, sum(cost) / jobs)
        part: list[Planned] = []
        total = 0.0
        for planned, each in zip(group, cost, strict=True):
            if part and total + each > target * 1.001:
                made.append(Pack(tuple(part), total))
                part, total = [], 0.0
            part.append(planned)
            total += each
        made.append(Pack(tuple(part), total))
    return sorted(made, key=lambda p: -p.seconds)


def guess(cell: Cell) -> float:
    """Seconds that a cell may take on one core."""
    base = GUESSED_SECONDS[cell.tuning]
    epochs = cell.recipe.epochs / 60 if cell.recipe else 1.0
    return base * epochs * max(1, cell.shots or 4) / 2


def notes(plan: Plan) -> tuple[str, ...]:
    """What a reader of the report should know of the grid."""
    found: dict[str, None] = {}
    for planned in plan.cells:
        cell = planned.cell
        if cell.shots is not None:
            trained, _ = classes_of(cell)
            if cell.shots == _per_class(cell, open_dataset(cell.dataset), trained):
                found[
                    f"{cell.shots} shots are all the training samples of {cell.dataset}: the "
                    "support sets do not vary over the seeds."
                ] = None
    return tuple(found)


# --- plugins, by the names in a cell ------------------------------------------------------------


@cache
def options(kind: str, choice: Choice) -> tuple[Any, str, Any]:
    """(plugin, argument, validated options) of a Choice.

    Raises UnknownName, or BadInput for an option that the plugin does not have.
    """
    family, argument = (
        resolve.split_reference(choice.name)
        if kind in ("dataset", "encoder")
        else (choice.name, "")
    )
    found = resolve.plugin(kind, family)
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


# --- inside -----------------------------------------------------------------------------------


def _why_not(cell: Cell, where: str) -> str | None:
    """Why a cell cannot exist, or None.

    Raises BadInput for what no cell of this task can have.
    """
    with _named(where, "paradigm"):
        options("paradigm", cell.paradigm)
    _refuse_not_built(cell, where)
    with _named(where, "dataset"):
        dataset = open_dataset(cell.dataset)
    if cell.test_dataset is not None:
        with _named(where, "test_dataset"):
            open_dataset(cell.test_dataset)
    with _named(where, ""):  # these errors begin with their key
        trained, tested = classes_of(cell)
    encoder = replace(_image_facts(cell, where), text_dim=_text_dim(cell, where))
    _check_sizes(cell, encoder, where)
    facts = CellFacts(len(tested), _per_class(cell, dataset, trained), encoder)
    if cell.shots is not None and facts.per_class is not None and cell.shots > facts.per_class:
        few = f"{cell.shots} is more than the {facts.per_class} training samples of a class"
        raise TaskError(where, "shots", few)
    if not trained or not tested:
        raise TaskError(where, "classes", f"{cell.classes.plain()} leaves no class")
    if facts.per_class == 0 and cell.tuning != "none":
        raise TaskError(where, "dataset", f"{cell.dataset} has a class without training samples")
    if cell.prompt is not None:
        with _named(where, "prompt"):
            options("prompt", cell.prompt)
    alignment = Choice(cell.alignment) if cell.alignment else None
    plugins = [
        ("paradigm", cell.paradigm), ("classifier", cell.classifier), ("alignment", alignment),
    ]  # fmt: skip
    for kind, choice in plugins:
        if choice is None:
            continue
        with _named(where, kind):
            reason = options(kind, choice)[0].check(cell, facts)
        if reason is not None:
            return str(reason)
    return None


@contextmanager
def _named(where: str, key: str) -> Iterator[None]:
    """What a plugin cannot know of its error: the file and the key that it came from."""
    try:
        yield
    except TaskError:
        raise
    except BadInput as error:
        raise TaskError(where, key, str(error)) from error


def _refuse_not_built(cell: Cell, where: str) -> None:
    """Values that the task format knows and this version cannot run."""
    later = {
        "temporal": (None, "modelling over time"),
        "views": ("1x1", "more than one view"),
        "method": (None, "a method of others"),
    }
    if cell.text_tower == "online":
        raise TaskError(where, "text_tower", "online: training the text tower is not built yet")
    for axis, (built, what) in later.items():
        if getattr(cell, axis) != built:
            raise TaskError(where, axis, f"{getattr(cell, axis)}: {what} is not built yet")
    released = (cell.schedule or "").partition(":")[2]
    if released and cell.recipe and int(released) >= cell.recipe.epochs:
        raise TaskError(where, "schedule", f"{cell.schedule} is after the last epoch")


def _image_facts(cell: Cell, where: str) -> EncoderFacts:
    with _named(where, "encoder"):
        return encoder_facts(cell.encoder)


def _text_dim(cell: Cell, where: str) -> int | None:
    """Width of the cell's texts; None if nobody reads them."""
    if cell.text_encoder is None:
        return _image_facts(cell, where).text_dim
    with _named(where, "text_encoder"):
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
            allowed=resolve.names("alignment"),
        )


def _per_class(cell: Cell, dataset: Dataset, trained: Sequence[int]) -> int | None:
    if cell.regime == "zero_shot" and cell.train_classes is None:
        return None
    counts = np.bincount(dataset.train.labels, minlength=len(dataset.classes))
    return int(min((counts[c] for c in trained), default=0))


def _contents(cell: Cell) -> tuple[str, str]:
    """Hashes of what a cell reads: (for training, for evaluation)."""
    dataset = open_dataset(cell.dataset)
    trained, tested = classes_of(cell)
    facts = encoder_facts(cell.encoder)
    names = _texts(cell, [dataset.classes[c] for c in trained])
    other = open_dataset(cell.test_dataset) if cell.test_dataset else dataset
    read = [dataset.manifest, names, facts.weights]
    if cell.text_encoder is not None:
        read.append(text_facts(cell.text_encoder).weights)
    training = digest(read)
    evaluation = digest([other.manifest, _texts(cell, [other.classes[c] for c in tested])])
    return training, evaluation


def _texts(cell: Cell, names: Sequence[str]) -> list[Any]:
    """Class names, with what the prompt makes of them."""
    if cell.prompt is None:
        return list(names)
    found, _, opts = options("prompt", cell.prompt)
    return [*zip(names, found.texts(names, opts), strict=True)]


def _with_keys(cell: Cell, training: str, evaluation: str) -> Planned:
    plain = cell.plain()
    key = digest([SCHEMA, plain, training, evaluation])
    for name in EVALUATION_FIELDS:
        plain.pop(name, None)
    if cell.regime == "zero_shot":
        # What is tested plays no part in training, except that training classes are drawn
        # around it; those are in the hash.
        plain.pop("classes", None)
    return Planned(cell, key, digest([SCHEMA, plain, training]))
