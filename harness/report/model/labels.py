"""Which cells share a row and a column of the leaderboard, and what these are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from harness.core.cells import Cell, Choice, ClassPick, without_seeds
from harness.core.errors import UnknownName
from harness.core.protocols.method import BUDGET
from harness.report.model.short import shortened
from harness.report.model.short_methods import short_methods
from harness.task.grid import AXES, RECIPE, value_of
from harness.task.row_recipes import RECIPE_AXES
from harness.task.schema import ReportModel

JOINT = " · "
#: Part of the label of every row whose configuration was chosen on the test set.
CHOSEN_ON_TEST = "chosen on test"
RECIPE_KEYS = tuple(f"recipe.{name}" for name in RECIPE_AXES)
ALL_AXES = (*AXES, RECIPE, *RECIPE_KEYS)
#: Axes that say how much was trained on; of several, one has a value and the others are null.
_AMOUNT = ("shots", "fraction")
_COLUMN_AXES = ("dataset", "test_dataset", *_AMOUNT, "test_classes")
_REGIME_ORDER = ("zero_shot", "few_shot", "fraction", "full")
#: What names a row where its own axes leave it without a name. A cell has a paradigm or a method.
_NAMES = ("classifier", "method", "paradigm")
#: Values that mean little without a word beside them.
_NAMED = {"class_seed": "draw {}", "feature_precision": "{} features"}
#: No axes, but cells of `include` may differ in them: a report may name them as rows or columns,
#: and they tell rows apart where no axis does.
BESIDE = ("classes", "train_classes", "selection", "init")


@dataclass(frozen=True)
class Column:
    """One column; `draw` is the class seed where a study repeats its table over class draws."""

    label: str
    draw: int | None = None

    def __str__(self) -> str:
        return self.label if self.draw is None else f"{self.label}, draw {self.draw}"


@dataclass(frozen=True)
class TableLayout:
    """The row and column of every cell. Rows and columns are in the order of print.

    `places` has cells without their seed: see `place_of`.
    """

    row_axes: tuple[str, ...]
    column_axes: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    places: dict[Cell, tuple[str, Column]]

    def place_of(self, cell: Cell) -> tuple[str, Column]:
        """The row and column of a cell at any seed."""
        return self.places[replace(cell, seed=None)]


def lay_out(
    report: ReportModel, feasible: Sequence[Cell], infeasible: Sequence[Cell] = ()
) -> TableLayout:
    """Rows and columns as the task declares them, or else as its axes vary.

    Raises UnknownName for a row or column that is no axis.
    """
    for axis in (*(report.rows or ()), *(report.columns or ())):
        if axis not in (*ALL_AXES, *BESIDE):
            raise UnknownName("axis", axis, (*ALL_AXES, *BESIDE))
    # Cells that differ in their seed share an entry, and a study may have 100,000.
    feasible = without_seeds(feasible)
    cells = without_seeds((*feasible, *infeasible))
    declared = tuple(report.rows or ())
    if report.columns is not None:
        column_axes = tuple(report.columns)
    else:
        column_axes = tuple(a for a in _COLUMN_AXES if a not in declared and _varies(cells, a))
        if not set(column_axes) & set(_AMOUNT) and "regime" not in declared:
            column_axes += ("regime",) if _varies(cells, "regime") else ()
        column_axes = column_axes or tuple(a for a in ("shots",) if a not in declared)
    drawn = {c.class_seed for c in cells} - {None}
    draws = "class_seed" not in (*declared, *column_axes) and len(drawn) > 1
    own = _names_own_test_data(cells, column_axes)
    columns = {cell: _column(cell, column_axes, draws=draws, own=own) for cell in cells}
    row_axes = declared or _row_axes(cells, columns, column_axes)
    rows = _rows(cells, columns, row_axes, (*column_axes, *(("class_seed",) if draws else ())))
    rows = short_methods(rows)
    rows = {cell: _marked(label, cell) for cell, label in rows.items()}
    short = shortened([*rows.values(), *(c.label for c in columns.values())])
    rows = {cell: short[label] for cell, label in rows.items()}
    columns = {cell: replace(c, label=short[c.label]) for cell, c in columns.items()}
    places = {cell: (rows[cell], columns[cell]) for cell in cells}
    ordered = sorted(
        dict.fromkeys(columns.values()), key=_order(cells, columns, column_axes).__getitem__
    )
    in_order = _in_order([places[cell] for cell in feasible], rows.values())
    return TableLayout(row_axes, column_axes, in_order, tuple(ordered), places)


def value_on(cell: Cell, axis: str) -> Any:
    """The value of a cell on an axis; a key that was searched has none of its own."""
    searched = cell.search is not None and any(axis == f"recipe.{key}" for key, _ in cell.search)
    return None if searched else value_of(cell, axis)


def _marked(label: str, cell: Cell) -> str:
    """With what makes a row unequal to others: a larger search, or a choice on the test set."""
    tried = prod(len(values) for _, values in cell.search or ())
    if cell.method is not None and tried > BUDGET:
        label = f"{label}{JOINT}best of {tried} settings"
    if cell.selection != "test" or CHOSEN_ON_TEST in label.split(JOINT):
        return label
    return f"{label}{JOINT}{CHOSEN_ON_TEST}"


def name_value(axis: str, value: Any) -> str:
    """A value in a label. Numbers and switches mean nothing without the name of their axis."""
    if axis == "selection" and value == "test":
        return CHOSEN_ON_TEST
    if isinstance(value, ClassPick):
        return _name_classes(value)
    if axis == "shots":
        return f"{value} shot" if value == 1 else f"{value} shots"
    if axis == "support_views" and value is not None:
        return _name_views(value)
    if axis in ("fraction", "class_seed") or not isinstance(value, bool | int | float):
        return _NAMED.get(axis, "{}").format(value)
    return f"{axis.removeprefix('recipe.')}={value}"


def _name_views(views: Choice) -> str:
    options = dict(views.options)
    low, high = options["scale"]
    flip = "flip" if options["flip"] else "no flip"
    count = "1 view" if options["n"] == 1 else f"{options['n']} views"
    return f"{views.name} of {count} ({low:g} to {high:g}, {flip})"


def _name_classes(pick: ClassPick) -> str:
    source = pick.file or (pick.part if pick.half is None else f"half {pick.half} of {pick.part}")
    return source if pick.pick is None else f"{pick.pick} of {source}"


def differs_on(cells: Iterable[Cell]) -> list[str]:
    """Axes on which the cells do not all agree."""
    cells = without_seeds(cells)
    return [a for a in ALL_AXES if len({value_on(cell, a) for cell in cells}) > 1]


def _varies(cells: Sequence[Cell], axis: str) -> bool:
    return len({value_on(cell, axis) for cell in cells}) > 1


def _names_own_test_data(cells: Sequence[Cell], axes: tuple[str, ...]) -> bool:
    """Whether a cell without a test data set is labelled by its own, beside those that have one.
    In zero-shot studies it never was, and claims name their labels.
    """
    trained = any(c.test_dataset is not None and c.regime != "zero_shot" for c in cells)
    return trained and "test_dataset" in axes and "dataset" not in axes


def _column(cell: Cell, axes: tuple[str, ...], *, draws: bool, own: bool) -> Column:
    values = {axis: value_on(cell, axis) for axis in axes}
    if own and values["test_dataset"] is None:
        values["test_dataset"] = cell.dataset
    parts = [name_value(axis, value) for axis, value in values.items() if value is not None]
    amounts = [a for a in axes if a in _AMOUNT]
    if amounts and all(values[a] is None for a in amounts) and "regime" not in axes:
        parts.append(cell.regime)
    return Column(JOINT.join(parts) or "all", cell.class_seed if draws else None)


def label_on(cell: Cell, axes: tuple[str, ...]) -> str:
    """The label that a column of these axes alone would have."""
    return _column(cell, axes, draws=False, own=False).label


def _order(
    cells: Sequence[Cell], columns: dict[Cell, Column], axes: tuple[str, ...]
) -> dict[Column, tuple[Any, ...]]:
    """By the axes in their order, the first one outermost. Amounts ascend, from nothing to
    everything; other axes keep the order of the YAML.
    """
    first: dict[tuple[str, Any], int] = {}
    for cell in cells:
        for axis in axes:
            first.setdefault((axis, value_on(cell, axis)), len(first))
    # Shots, fraction and regime are one amount, which is where the first of them is.
    amounts = [axis for axis in axes if axis in (*_AMOUNT, "regime")]
    parts = [axis for axis in axes if axis not in amounts[1:]]
    order: dict[Column, tuple[Any, ...]] = {}
    for cell in cells:
        amount = (_REGIME_ORDER.index(cell.regime), cell.shots or 0, cell.fraction or 0.0)
        values = [amount if a in amounts else first[a, value_on(cell, a)] for a in parts]
        # Columns that no amount tells apart may still be of several.
        rest = () if amounts else amount
        order.setdefault(columns[cell], (*values, *rest, columns[cell].draw or 0))
    return order


def _in_order(feasible: Sequence[tuple[str, Column]], every_row: Iterable[str]) -> tuple[str, ...]:
    """Rows in the order of the grid, as the column that has most of them shows it.

    A row that is infeasible in the first column would else come last.
    """
    by_column: dict[Column, dict[str, None]] = {}
    for row, column in feasible:
        by_column.setdefault(column, {})[row] = None
    fullest = sorted(by_column.values(), key=len, reverse=True)
    return tuple(dict.fromkeys([*(row for rows in fullest for row in rows), *every_row]))


def _row_axes(
    cells: Sequence[Cell], columns: dict[Cell, Column], column_axes: tuple[str, ...]
) -> tuple[str, ...]:
    """Axes with several values inside one column. Null does not count as a value: an axis has none
    where it has no meaning, and another axis tells such a row apart.
    """
    taken = {*column_axes, "class_seed", "regime"}
    if any(cell.recipe_name is not None for cell in cells):
        taken |= {*RECIPE_KEYS}  # the name of a recipe says what is in it
    inside: dict[tuple[str, Column], set[Any]] = {}
    for cell in cells:
        for axis in ALL_AXES:
            if axis not in taken and (value := value_on(cell, axis)) is not None:
                inside.setdefault((axis, columns[cell]), set()).add(value)
    varying = {axis for (axis, _), values in inside.items() if len(values) > 1}
    return tuple(a for a in ALL_AXES if a in varying)


def _rows(
    cells: Sequence[Cell],
    columns: dict[Cell, Column],
    axes: tuple[str, ...],
    taken: tuple[str, ...],
) -> dict[Cell, str]:
    """The label of every cell's row: its values on `axes`, and more where these are not enough."""
    spare = [a for a in dict.fromkeys((*_NAMES, *ALL_AXES, *BESIDE)) if a not in (*axes, *taken)]
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        key = (_name_axis(cell, axes, spare), *(value_on(cell, a) for a in axes))
        groups.setdefault(key, []).append(cell)
    labels: dict[Cell, str] = {}
    for (name_axis, *_), group in groups.items():
        used = [*([name_axis] if name_axis is not None else []), *axes]
        labels |= _tell_apart(group, columns, used, [a for a in spare if a not in used])
    return _tell_labels_apart(labels, groups, spare)


def _name_axis(cell: Cell, axes: tuple[str, ...], spare: Sequence[str]) -> str | None:
    """The axis that names a cell which has no name on `axes`; None if it has one.

    Where axes of names are among `axes`, one of these must have a value: the classifier of a
    vision_only cell is null, and so are classifier and paradigm of a method.
    """
    naming = [a for a in axes if a in _NAMES] or axes
    if any(value_on(cell, a) is not None for a in naming):
        return None
    return next((a for a in spare if a in _NAMES and value_on(cell, a) is not None), None)


def _tell_apart(
    group: list[Cell], columns: dict[Cell, Column], used: list[str], spare: list[str]
) -> dict[Cell, str]:
    """The labels of a group. Two configurations in one entry of the table become two rows."""
    for axis in [None, *spare]:
        if axis is not None:
            if not _crowded(group, columns, used):
                break
            if any(
                len({value_on(c, axis) for c in crowd}) > 1
                for crowd in _crowds(group, columns, used)
            ):
                used.append(axis)
    return {cell: _label(cell, used) for cell in group}


def _crowds(group: list[Cell], columns: dict[Cell, Column], used: list[str]) -> list[set[Cell]]:
    """Cells that would share an entry although they differ in more than the seed."""
    crowds: dict[tuple[Any, ...], set[Cell]] = {}
    for cell in group:
        place = (columns[cell], *(value_on(cell, a) for a in used))
        crowds.setdefault(place, set()).add(replace(cell, seed=None))
    return [crowd for crowd in crowds.values() if len(crowd) > 1]


def _crowded(group: list[Cell], columns: dict[Cell, Column], used: list[str]) -> bool:
    return bool(_crowds(group, columns, used))


def _tell_labels_apart(
    labels: dict[Cell, str], groups: dict[tuple[Any, ...], list[Cell]], spare: list[str]
) -> dict[Cell, str]:
    """Groups with equal labels get further axes, or else a number.

    Different values may read the same: `1` and `"1"`, or a named row and an unnamed one.
    """
    owners: dict[str, list[tuple[Any, ...]]] = {}
    for key, group in groups.items():
        for label in dict.fromkeys(labels[cell] for cell in group):
            owners.setdefault(label, []).append(key)
    for label, keys in owners.items():
        if len(keys) < 2:
            continue
        clash = [c for key in keys for c in groups[key] if labels[c] == label]
        more = [a for a in spare if len({value_on(c, a) for c in clash}) > 1]
        for key in keys:
            for cell in groups[key]:
                if labels[cell] == label:
                    extra = _label(cell, more)
                    labels[cell] = JOINT.join(p for p in (label, extra) if p)
        if len({labels[groups[key][0]] for key in keys}) < len(keys):
            for number, key in enumerate(keys, start=1):
                for cell in groups[key]:
                    labels[cell] += f" ({number})"
    return labels


def _label(cell: Cell, axes: Sequence[str]) -> str:
    return JOINT.join(name_value(a, v) for a in axes if (v := value_on(cell, a)) is not None)
