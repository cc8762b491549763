"""Rows of the grid -> a plan: feasible cells with their keys, and which of them are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from harness.core.cells import OWN, Cell, Choice, is_labelled, unlabelled
from harness.core.errors import TaskError
from harness.core.hashes import Progress
from harness.core.protocols.alignment import Alignment
from harness.core.protocols.temporal import Temporal
from harness.core.store import Store
from harness.plan.catalogue import Catalogue, blame
from harness.plan.contents import hash_contents
from harness.plan.feasibility import why_infeasible
from harness.plan.keys import content_hashes, keys_of_row, list_hash
from harness.plan.notes import found_of, notes_of
from harness.plan.resolve import ResolvedCell, Setup, resolve
from harness.sampling.draws import Draws
from harness.sampling.views import views
from harness.task.grid import Row, rows_of
from harness.task.inputs import is_random, reads_support

#: More seeds of a cell (which has none itself).
Further = Callable[[Cell], Sequence[int]]


@dataclass
class Plan:
    """The cells of a task that can run, those that are infeasible, and the status of each."""

    cells: list[ResolvedCell] = field(default_factory=list)
    infeasible: list[tuple[Cell, str]] = field(default_factory=list)
    status: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()  # notes on the task itself
    #: Every cell with its labels, the name of its recipe and a preset of axes, where the task has
    #: any. `cells` have none: what runs knows no labels, and cells that are equal run once.
    labelled: dict[Cell, tuple[Cell, ...]] = field(default_factory=dict)

    def shown(self, cell: Cell) -> tuple[Cell, ...]:
        """A cell of the plan as the report shows it: once for each of its labels."""
        return self.labelled.get(cell, (cell,))

    def run_again(self, keys: Iterable[str]) -> None:
        """Count these cells as missing; their Records stay until new ones replace them."""
        for key in keys:
            self.status.pop(key, None)

    def missing(self) -> list[ResolvedCell]:
        """Cells without a Record."""
        return [c for c in self.cells if c.key not in self.status]

    def failed(self) -> list[ResolvedCell]:
        return [c for c in self.cells if self.status.get(c.key) == "failed"]

    def counts(self) -> dict[str, int]:
        """done, failed, waiting and infeasible."""
        states = [self.status.get(c.key, "waiting") for c in self.cells]
        counted = {state: states.count(state) for state in ("done", "failed", "waiting")}
        return counted | {"infeasible": len(self.infeasible)}

    def reasons(self) -> dict[str, int]:
        """Why cells are infeasible -> how many."""
        counted: dict[str, int] = {}
        for cell, reason in self.infeasible:
            what = f"{cell.method or cell.classifier or cell.paradigm}: {reason}"
            counted[what] = counted.get(what, 0) + 1
        return counted

    def notes(self) -> tuple[str, ...]:
        """Notes on the grid for readers of the plan and of the report."""
        return (*self.remarks, *notes_of(self.cells))

    def found(self) -> tuple[str, ...]:
        """What earlier runs found, for readers of the plan; a report has it from its Records."""
        return found_of(self.cells)


def make_plan(cells: Sequence[Cell], store: Store, where: str = "task") -> Plan:
    """The plan of cells that are expanded already, as those in the batch of a job."""
    return plan_rows(rows_of(cells), store, where)


def plan_rows(
    rows: Iterable[Row],
    store: Store,
    where: str = "task",
    progress: Progress | None = None,
    further: Further | None = None,
) -> Plan:
    """Keys, feasibility and status of every cell.

    Each plugin and dataset is opened once; no support, validation or test set is drawn, but
    published lists are read, as keys hold what is in them. `progress`
    is told (done, total) items of data sets while some have to be hashed. `further` names more
    seeds of a row.

    Raises BadInput for a dataset, encoder, classifier, ... that does not exist or cannot be read.
    """
    catalogue, draws = Catalogue(), Draws()
    meaningful = list(_without_meaningless(rows, catalogue, where))
    if further is not None:
        meaningful = [_with_seeds(row, further) for row in meaningful]
    plan = Plan(labelled=_labelled(meaningful))
    feasible: list[tuple[Row, Setup]] = []
    for row in _without_labels(meaningful) if plan.labelled else meaningful:
        cell = row.cell
        setup = resolve(cell, catalogue, store.root, where)
        reason = why_infeasible(cell, setup, catalogue, where)
        if reason is not None:
            plan.infeasible += [(seeded, reason) for seeded in row.cells()]
            continue
        feasible.append((row, setup))
    hash_contents([(row.cell, setup) for row, setup in feasible], where, progress)
    for row, setup in feasible:
        cell = row.cell
        training, evaluation = content_hashes(cell, setup, catalogue, where)
        list_at = partial(list_hash, cell, setup, draws, where)
        keys = keys_of_row(cell, row.seeds, training, evaluation, list_at)
        plan.cells += [
            ResolvedCell(seeded, key, train_key, setup, draws)
            for seeded, (key, train_key) in zip(row.cells(), keys, strict=True)
        ]
    if plan.infeasible and not plan.cells:
        raise TaskError(where, "", f"all its cells are infeasible: {plan.infeasible[0][1]}")
    plan.status = store.statuses(c.key for c in plan.cells)
    return plan


def _without_meaningless(rows: Iterable[Row], catalogue: Catalogue, where: str) -> Iterator[Row]:
    """Rows with null for axes that do not apply, given the data and the encoder; rows that become
    equal are one row.
    """
    seeds: dict[Cell, dict[int | None, None]] = {}
    for row in rows:
        timed = _timed_where_needed(row, catalogue, where)
        normed = _normed_where_needed(timed, catalogue, where)
        changed = _aligned_where_needed(normed, catalogue, where)
        seeds.setdefault(changed.cell, {}).update(dict.fromkeys(changed.seeds))
    return (Row(cell, tuple(of_row)) for cell, of_row in seeds.items())


def _with_seeds(row: Row, further: Further) -> Row:
    """A deterministic row has no seeds."""
    if row.seeds == (None,):
        return row
    return Row(row.cell, tuple(dict.fromkeys([*row.seeds, *further(row.cell)])))


def _labelled(rows: Sequence[Row]) -> dict[Cell, tuple[Cell, ...]]:
    """Of every cell without its labels; empty where none has any."""
    labelled: dict[Cell, dict[Cell, None]] = {}
    if any(is_labelled(row.cell) for row in rows):
        for cell in (cell for row in rows for cell in row.cells()):
            labelled.setdefault(unlabelled(cell), {})[cell] = None
    return {cell: tuple(of_cell) for cell, of_cell in labelled.items()}


def _without_labels(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that differ in labels alone are one row."""
    seeds: dict[Cell, dict[int | None, None]] = {}
    for row in rows:
        cell = unlabelled(row.cell)
        seeds.setdefault(cell, {}).update(dict.fromkeys(row.seeds))
    return (Row(cell, tuple(of_row)) for cell, of_row in seeds.items())


def _timed_where_needed(row: Row, catalogue: Catalogue, where: str) -> Row:
    """Images have no frames, and their views have no clips, only crops."""
    cell = row.cell
    clips, crops = views(cell.views)
    repeats = cell.recipe is not None and cell.recipe.repeats is not None
    if cell.temporal is None and clips == 1 and not repeats and cell.crops is None:
        return row
    with blame(where, "dataset"):
        kind = catalogue.dataset(cell.dataset).kind
        if kind == "clips":
            return row
    if cell.temporal is not None:  # an unknown name is refused even if it does not apply
        with blame(where, "temporal"):
            catalogue.chosen(Temporal, cell.temporal)
    recipe = replace(cell.recipe, repeats=None) if cell.recipe is not None else None
    changed = replace(
        cell, temporal=None, frames=None, views=f"1x{crops}", clip_starts=None, recipe=recipe,
        crops=None if kind == "features" else cell.crops,
    )  # fmt: skip
    return replace(row, cell=changed)


def _normed_where_needed(row: Row, catalogue: Catalogue, where: str) -> Row:
    """A ViT has no batch norm."""
    recipe = row.cell.recipe
    if recipe is None or recipe.batch_norm is None:
        return row
    with blame(where, "encoder"):
        if catalogue.image_facts(row.cell.encoder).tower != "vit":
            return row
    return replace(row, cell=replace(row.cell, recipe=replace(recipe, batch_norm=None)))


def _aligned_where_needed(row: Row, catalogue: Catalogue, where: str) -> Row:
    """An alignment does not apply where the widths are equal."""
    cell = row.cell
    if cell.alignment is None:
        return row
    with blame(where, "alignment"):  # an unknown name is refused even if it does not apply
        catalogue.chosen(Alignment, Choice(cell.alignment))
    with blame(where, "encoder"):
        width = catalogue.image_facts(cell.encoder).dim
    with blame(where, "text_encoder" if cell.text_encoder else "encoder"):
        text_width = (
            catalogue.text_facts(cell.text_encoder).text_dim
            if cell.text_encoder
            else (catalogue.image_facts(cell.encoder).text_dim)
        )
    if text_width not in (None, width):
        return row
    changed = replace(cell, alignment=None)
    axes = ("tuning", "classifier", "alignment", "method", "regime", "val")
    values = {name: getattr(changed, name) for name in axes}
    random = is_random(values, changed.recipe)
    if not reads_support(values):
        changed = replace(changed, support=OWN)
    return Row(changed, row.seeds if random else (None,))
