"""Cells -> what can run, under which key, in which packs, at what cost.

The key of a cell holds the schema number, the canonical cell and hashes of what it reads, so a
Record is never taken for that of other data, weights or texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from pydantic import ValidationError

from harness import resolve
from harness.errors import TaskError
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
    for cell in cells:
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
        problem = first["msg"].removeprefix("Value error, ")
        option = ".".join(str(part) for part in first["loc"])
        raise TaskError(
            kind,
            f"{choice.name}: option {option}",
            f"{first.get('input')!r}: {problem}",
            allowed=found.Options.model_fields or ("none",),
        ) from error


def open_dataset(choice: Choice) -> Dataset:
    found, argument, opts = options("dataset", choice)
    dataset: Dataset = found.open_dataset(argument, opts)
    return dataset


@cache
def encoder_facts(choice: Choice) -> EncoderFacts:
    found, argument, opts = options("encoder", choice)
    facts: EncoderFacts = found.facts(argument, opts)
    return facts


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
    _refuse_not_built(cell, where)
    dataset = open_dataset(cell.dataset)
    trained, tested = classes_of(cell)
    facts = CellFacts(len(tested), _per_class(cell, dataset, trained), encoder_facts(cell.encoder))
    if cell.shots is not None and facts.per_class is not None and cell.shots > facts.per_class:
        few = f"{cell.shots} is more than the {facts.per_class} training samples of a class"
        raise TaskError(where, "shots", few)
    if not trained or not tested:
        raise TaskError(where, "classes", f"{cell.classes.plain()} leaves no class")
    if facts.per_class == 0 and cell.tuning != "none":
        raise TaskError(where, "dataset", f"{cell.dataset} has a class without training samples")
    if cell.prompt is not None:
        options("prompt", cell.prompt)
    plugins = [("paradigm", cell.paradigm), ("classifier", cell.classifier)]
    for kind, choice in plugins:
        if choice is None:
            continue
        reason = options(kind, choice)[0].check(cell, facts)
        if reason is not None:
            return str(reason)
    return None


def _refuse_not_built(cell: Cell, where: str) -> None:
    """Values that the task format knows and this version cannot run."""
    later = {
        "text_encoder": (None, "an own text encoder"),
        "alignment": (None, "aligning encoders of different width"),
        "temporal": (None, "modelling over time"),
        "views": ("1x1", "more than one view"),
        "method": (None, "a method of others"),
        "loss": (None, "a matching loss"),
    }
    for axis, (built, what) in later.items():
        if getattr(cell, axis) != built:
            raise TaskError(where, axis, f"{getattr(cell, axis)}: {what} is not built yet")
    if cell.tuning == "all":
        raise TaskError(where, "tuning", "all: tuning the backbone is not built yet",
                        allowed=("none", "projection"))  # fmt: skip
    released = (cell.schedule or "").partition(":")[2]
    if released and cell.recipe and int(released) >= cell.recipe.epochs:
        raise TaskError(where, "schedule", f"{cell.schedule} is after the last epoch")


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
    names = [dataset.classes[c] for c in trained]
    other = open_dataset(cell.test_dataset) if cell.test_dataset else dataset
    training = digest([dataset.manifest, names, facts.weights])
    evaluation = digest([other.manifest, [other.classes[c] for c in tested]])
    return training, evaluation


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
