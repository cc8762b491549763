"""Cells -> what can run, under which key, and what of it is done.

The key of a cell holds the schema number, the canonical cell and hashes of what it reads, so a
Record is never taken for that of other data, weights or texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.core.cells import EVALUATION_FIELDS, Cell, Choice
from harness.core.errors import TaskError
from harness.core.files import file_hash
from harness.core.hashing import digest
from harness.core.records import SCHEMA
from harness.core.store import Store
from harness.plan.feasibility import image_facts, named, smallest_class, text_dim, why_not
from harness.plan.resolve import (
    classes_of,
    encoder_facts,
    evaluation_texts,
    init_file,
    open_dataset,
    options,
    text_facts,
)
from harness.sampling.views import are_clips, views
from harness.task.grid import is_random
from harness.training.weights import holds_backbone


@dataclass(frozen=True)
class Planned:
    """A cell that can run, with its keys."""

    cell: Cell
    key: str
    train_key: str


@dataclass
class Plan:
    cells: list[Planned] = field(default_factory=list)
    infeasible: list[tuple[Cell, str]] = field(default_factory=list)
    status: dict[str, str] = field(default_factory=dict)

    def run_again(self, keys: Iterable[str]) -> None:
        """Count these cells as missing; their Records stay until new ones are there."""
        for key in keys:
            self.status.pop(key, None)

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
    for cell in _without_meaningless(cells, where):
        sample = replace(cell, seed=None)
        if sample not in reasons:
            reasons[sample] = why_not(sample, where)
        reason = reasons[sample]
        if reason is not None:
            plan.infeasible.append((cell, reason))
            continue
        shared = replace(
            sample, shots=None, fraction=None, classifier=None, schedule=None, recipe=None
        )
        if shared not in contents:
            contents[shared] = _contents(cell, store.root, where)
        plan.cells.append(_with_keys(cell, *contents[shared]))
    if plan.infeasible and not plan.cells:
        raise TaskError(where, "", f"no cell of it can exist: {plan.infeasible[0][1]}")
    plan.status = store.statuses(p.key for p in plan.cells)
    return plan


def _without_meaningless(cells: Iterable[Cell], where: str) -> Iterator[Cell]:
    """What has no meaning once the data and the encoder are known is null, and cells that become
    equal are one cell.
    """
    seen: set[Cell] = set()
    for cell in cells:
        made = _aligned_where_needed(_timed_where_needed(cell, where), where)
        if made not in seen:
            seen.add(made)
            yield made


def _timed_where_needed(cell: Cell, where: str) -> Cell:
    """Pictures have no frames, and of views only the crops."""
    clips, crops = views(cell.views)
    if cell.temporal is None and clips == 1:
        return cell
    with named(where, "dataset"):
        if are_clips(open_dataset(cell.dataset)):
            return cell
    if cell.temporal is not None:  # a wrong name is told even where it has no meaning
        with named(where, "temporal"):
            options("temporal", cell.temporal)
    return replace(cell, temporal=None, frames=None, views=f"1x{crops}")


def _aligned_where_needed(cell: Cell, where: str) -> Cell:
    """An alignment has no meaning where the widths agree."""
    if cell.alignment is None:
        return cell
    with named(where, "alignment"):  # a wrong name is told even where it has no meaning
        options("alignment", Choice(cell.alignment))
    if text_dim(cell, where) not in (None, image_facts(cell, where).dim):
        return cell
    made = replace(cell, alignment=None)
    axes = ("tuning", "classifier", "alignment", "regime")
    if not is_random({name: getattr(made, name) for name in axes}):
        made = replace(made, seed=None)
    return made


def notes(plan: Plan) -> tuple[str, ...]:
    """What a reader of the report should know of the grid."""
    found: dict[str, None] = {}
    for planned in plan.cells:
        cell = planned.cell
        for choice in (cell.dataset, cell.test_dataset):
            if choice is not None:
                found |= dict.fromkeys(getattr(open_dataset(choice), "notes", ()))
        if cell.shots is not None:
            trained, _ = classes_of(cell)
            if cell.shots == smallest_class(cell, open_dataset(cell.dataset), trained):
                found[
                    f"{cell.shots} shots are all the training samples of {cell.dataset}: the "
                    "support sets do not vary over the seeds."
                ] = None
    return tuple(found)


def _contents(cell: Cell, runs: Path, where: str) -> tuple[str, str]:
    """Hashes of what a cell reads: (for training, for evaluation)."""
    dataset = open_dataset(cell.dataset)
    trained, tested = classes_of(cell)
    facts = encoder_facts(cell.encoder)
    names = _texts(cell, [dataset.classes[c] for c in trained])
    other = open_dataset(cell.test_dataset) if cell.test_dataset else dataset
    read = [dataset.manifest, names, facts.weights]
    if cell.text_encoder is not None:
        read.append(text_facts(cell.text_encoder).weights)
    if cell.init is not None:
        with named(where, "init"):
            file = init_file(cell.init, runs)
            holds_backbone(file)  # told now if it is no file of weights
            read.append(file_hash(file))
    training = digest(read)
    evaluation = digest([other.manifest, _texts(cell, [other.classes[c] for c in tested])])
    return training, evaluation


def _texts(cell: Cell, names: Sequence[str]) -> list[Any]:
    """Class names, with what the prompt makes of them."""
    if cell.prompt is None:
        return list(names)
    found, _, opts = options("prompt", cell.prompt)
    trained, tested = found.texts(names, opts), evaluation_texts(cell.prompt, names)
    apart = [tested] if tested != trained else []
    return [*zip(names, trained, strict=True), *apart]


def _with_keys(cell: Cell, training: str, evaluation: str) -> Planned:
    plain = cell.plain()
    key = digest([SCHEMA, plain, training, evaluation])
    if cell.selection == "test":
        return Planned(cell, key, key)  # the test set has its part in what is trained
    for name in EVALUATION_FIELDS:
        plain.pop(name, None)
    if cell.regime == "zero_shot":
        # What is tested plays no part in training, except that training classes are drawn
        # around it; those are in the hash.
        plain.pop("classes", None)
    return Planned(cell, key, digest([SCHEMA, plain, training]))
