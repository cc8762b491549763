"""What carries the gain of text: differences between the text, its controls and random rows.

`text_rotated` keeps the correlations between the texts and loses their alignment with the images;
`text_shuffled` keeps the set of rows, and with it the alignment, and loses which class a row is of;
`gram_matched` is the random draw with the correlations of the texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core.cells import Cell, Choice
from harness.core.outcomes import Contrast
from harness.report.model.contrasts import ColumnContrast, outside
from harness.report.model.entry import DONE
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.model.within import turned

TEXT, RANDOM = "text", "random"
ROTATED, SHUFFLED, MATCHED = "text_rotated", "text_shuffled", "gram_matched"
GAIN, SEMANTICS, ALIGNMENT, GEOMETRY, GEOMETRY_MATCHED = (
    "gain of text", "class semantics", "alignment with the image space", "geometry",
    "geometry on the random draw",
)  # fmt: skip
#: Every part: its name, and the two classifiers of which it is the difference. Alignment and
#: geometry add up to the gain.
PARTS = (
    (GAIN, TEXT, RANDOM),
    (ALIGNMENT, TEXT, ROTATED),
    (GEOMETRY, ROTATED, RANDOM),
    (SEMANTICS, TEXT, SHUFFLED),
    (GEOMETRY_MATCHED, MATCHED, RANDOM),
)
CONTROLS = {ROTATED, SHUFFLED, MATCHED}
#: Classifiers that read no texts, for which prompt, text encoder and alignment have no meaning.
WITHOUT_TEXTS = {RANDOM}
OF_TEXTS = ("prompt", "text_encoder", "alignment")
#: Controls that come in levels: the option with the level, and which row has the level 0 and 1.
LEVELS = {
    "text_partly_rotated": ("amount", {0.0: TEXT, 1.0: ROTATED}),
    "text_noise": ("sigma", {0.0: TEXT}),
}


@dataclass(frozen=True)
class Part:
    """A part of the gain in a column. `contrast` is None while a row of it lacks seeds. A pair of
    the table's family has the p of that family; the other parts are adjusted together.
    """

    name: str
    column: Column
    a: str
    b: str
    contrast: Contrast | None


@dataclass(frozen=True)
class Controls:
    """All parts, column by column, and the size m of the family of those that do not belong to the
    table's (0: none of them was tested).
    """

    parts: tuple[Part, ...]
    m: int


#: By the classifier's name: the rows of one study that differ in the classifier alone.
Rows = Mapping[str, str]


def controls(table: Table) -> Controls | None:
    """None for a study without a text row that has a control beside it."""
    found: dict[tuple[str, str, Column], Part] = {}
    judged: dict[tuple[str, str, Column], ColumnContrast] = {}
    for column in table.columns:
        sets = row_sets(table, column)
        of_column = table.verdicts.of(column) if sets else []
        pairs = {frozenset((c.contrast.a, c.contrast.b)): c for c in of_column}
        for rows in sets:
            for name, first, second in PARTS:
                if first in rows and second in rows:
                    a, b = rows[first], rows[second]
                    found.setdefault((a, b, column), Part(name, column, a, b, None))
                    if (c := pairs.get(frozenset((a, b)))) is not None:
                        judged[a, b, column] = c
    parts = [p for p in found.values() if (p.a, p.b, p.column) in judged or _waits(table, p)]
    return _adjusted(table, parts, judged) if parts else None


def row_sets(table: Table, column: Column) -> list[Rows]:
    """For every text row of a column that has a control: the rows that differ from it in the
    classifier alone, by the name of their classifier. Rows with levels are not among them.
    """
    cells = _cells(table, column)
    sets: list[Rows] = []
    for row, cell in cells.items():
        if _name(cell) != TEXT:
            continue
        rows: dict[str, list[str]] = {}
        for other, of_other in cells.items():
            if _name(of_other) not in LEVELS and alike(cell, of_other):
                rows.setdefault(_name(of_other), []).append(other)
        one_each = {name: labels[0] for name, labels in rows.items() if len(labels) == 1}
        if one_each.get(TEXT) == row and CONTROLS & {*one_each}:
            sets.append(one_each)
    return sets


def alike(a: Cell, b: Cell) -> bool:
    """Whether two cells differ in the classifier alone: not in what it is scaled by either."""
    same = ["classifier", "seed"]
    if WITHOUT_TEXTS & {_name(a), _name(b)}:
        same += OF_TEXTS
    same_b = replace(b, **{name: getattr(a, name) for name in same})
    return a == same_b and _other_options(a.classifier) == _other_options(b.classifier)


def _other_options(choice: Choice | None) -> dict[str, object]:
    levels = {option for option, _ in LEVELS.values()}
    return {k: v for k, v in choice.options if k not in levels} if choice else {}


def _name(cell: Cell) -> str:
    return cell.classifier.name if cell.classifier is not None else ""


def _cells(table: Table, column: Column) -> dict[str, Cell]:
    """The cell of every row that was planned in a column."""
    entries = ((row, table.entries[row, column]) for row in table.rows)
    return {
        row: entry.cell
        for row, entry in entries
        if entry.cell is not None and (entry.status == DONE or entry.blocks)
    }


def _waits(table: Table, part: Part) -> bool:
    """Whether a part will be compared once its rows have all their seeds."""
    return any(table.entries[row, part.column].blocks for row in (part.a, part.b))


def _adjusted(
    table: Table,
    parts: Sequence[Part],
    judged: Mapping[tuple[str, str, Column], ColumnContrast],
) -> Controls:
    """One that waits for seeds counts in its family, with p = 1."""
    done = [part for part in parts if (part.a, part.b, part.column) in judged]
    late = [part for part in parts if part not in done]
    waiting = sum(not table.verdicts.covers((part.a, part.b)) for part in late)
    contrasts = [judged[part.a, part.b, part.column] for part in done]
    found = outside(contrasts, waiting, table.verdicts.margin)
    shown = {
        part: c.contrast if c.contrast.a == part.a else turned(c.contrast)
        for part, c in zip(done, found, strict=True)
    }
    m = max((c.m for c in found if not c.family), default=0)
    return Controls(tuple(replace(p, contrast=shown.get(p)) for p in parts), m)


@dataclass(frozen=True)
class Dose:
    """Accuracy over the level of a control, in the columns of a label: (level, mean, low, high) of
    every level, ascending. `random` is the mean of the random row, where there is one.
    """

    option: str  # amount | sigma
    label: str
    values: tuple[tuple[float, float, float | None, float | None], ...]
    random: float | None


#: Fewer levels are no line.
FEWEST_LEVELS = 3


def doses(table: Table) -> tuple[Dose, ...]:
    """Of every control with levels and every label of a column, where there is one text row."""
    found = []
    for name, (option, ends) in LEVELS.items():
        for label in table.labels:
            dose = _dose(table, label, name, option, ends)
            if dose is not None and len(dose.values) >= FEWEST_LEVELS:
                found.append(dose)
    return tuple(found)


def _dose(
    table: Table, label: str, name: str, option: str, ends: Mapping[float, str]
) -> Dose | None:
    cells = _cells(table, table.of_label(label)[0])
    texts = [cell for cell in cells.values() if _name(cell) == TEXT]
    if len(texts) != 1:
        return None
    same = {row: cell for row, cell in cells.items() if alike(texts[0], cell)}
    level_of = {
        row: float(dict(cell.classifier.options)[option])
        for row, cell in same.items()
        if cell.classifier is not None and _name(cell) == name
    }
    for level, end in ends.items():
        level_of |= {row: level for row, cell in same.items() if _name(cell) == end}
    by_level = {level: table.summary(row, label) for row, level in level_of.items()}
    values = tuple((x, *summary) for x, summary in sorted(by_level.items()) if summary is not None)
    drawn = [table.summary(row, label) for row, cell in same.items() if _name(cell) == RANDOM]
    return Dose(option, label, values, drawn[0][0] if drawn and drawn[0] else None)
