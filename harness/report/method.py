"""How the numbers were made: what every cell shares, and what only some do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields, replace
from math import prod
from typing import Any

from harness.grid import value_of
from harness.report.numbers import count
from harness.report.prose import escape, pipe_table
from harness.report.study import Study
from harness.report.table import Table
from harness.types import Cell, Recipe

_TITLES = {
    "dataset": "Dataset", "regime": "Regime", "shots": "Shots", "fraction": "Fraction",
    "class_seed": "Seed of the class draw", "test_dataset": "Test dataset", "encoder": "Encoder",
    "text_encoder": "Text encoder", "alignment": "Alignment", "prompt": "Prompt",
    "temporal": "Temporal head", "frames": "Frames", "resolution": "Resolution",
    "views": "Views (clips x crops)", "classifier": "Classifier", "schedule": "Schedule",
    "paradigm": "Paradigm", "gather": "Batch gather", "text_tower": "Text tower", "loss": "Loss",
    "method": "Method", "tuning": "Tuned part",
}  # fmt: skip


def method(study: Study, table: Table) -> str:
    """The method section: settings, recipe, selection, seeds, search budget and cost."""
    cells = [r.cell for r in study.results]
    lines = [
        f"- {title}: {text}" for axis, title in _TITLES.items() if (text := _values(cells, axis))
    ]
    lines += [f"- Classes: {_classes(study, table)}"]
    lines += [f"- Seeds: {_seeds(cells)}", f"- Selection: {_selection(cells)}"]
    lines += [f"- {_budget(cells)}", *_recipes(table, cells)]
    cost = _cost(table)
    return "\n".join(lines) + (f"\n\n{cost}" if cost else "")


def _values(cells: Iterable[Cell], axis: str) -> str:
    values = dict.fromkeys(v for c in cells if (v := value_of(c, axis)) is not None)
    return ", ".join(escape(v) for v in values)


def _classes(study: Study, table: Table) -> str:
    sizes = sorted({e.classes for e in table.entries.values() if e.classes is not None})
    pick = study.task.classes.to_pick()
    source = f"file {escape(pick.file)}" if pick.file else f"part '{escape(pick.part)}'"
    drawn = f", {pick.pick} drawn" if pick.pick else ""
    found = " to ".join(str(s) for s in dict.fromkeys([sizes[0], sizes[-1]])) if sizes else "?"
    return f"C = {found} ({source}{drawn})"


def _seeds(cells: Iterable[Cell]) -> str:
    seeds = sorted({c.seed for c in cells if c.seed is not None})
    fixed = any(c.seed is None for c in cells)
    text = ", ".join(map(str, seeds)) or "none"
    return text + ("; rows without anything random were run once" if fixed else "")


def _selection(cells: Iterable[Cell]) -> str:
    how = {
        "last": "the last epoch; no epoch was chosen by its accuracy",
        "val": "the last epoch of the configuration that is best on validation samples",
        "test": "**the epoch that is best on the reported test set, which inflates accuracy**",
    }
    return "; ".join(how.get(s, escape(s)) for s in dict.fromkeys(c.selection for c in cells))


def _budget(cells: Iterable[Cell]) -> str:
    cells = list(cells)
    searched = {prod(len(values) for _, values in c.search): c for c in cells if c.search}
    if searched:
        number, cell = max(searched.items())
        return (
            f"Search budget: {number} configurations a row, the same for every row; chosen on "
            f"{cell.val} validation samples of every class, which are never trained on"
        )
    tried: dict[Cell, set[Recipe | None]] = defaultdict(set)
    for c in cells:
        tried[replace(c, recipe=None)].add(c.recipe)
    most = max(map(len, tried.values()), default=1)
    if most == 1:
        return "Search budget: 1 configuration a row (a fixed recipe; nothing was searched)"
    return f"Search budget: {most} configurations a row; each is reported and none was selected"


def _recipes(table: Table, cells: Iterable[Cell]) -> list[str]:
    """One line if all that trains shares a recipe; what differs is said row by row."""
    by_row: dict[str, list[Recipe]] = defaultdict(list)
    for (row, _), entry in table.entries.items():
        if entry.cell is not None and entry.cell.recipe is not None:
            by_row[row].append(entry.cell.recipe)
    recipes = list(dict.fromkeys(r for found in by_row.values() for r in found))
    if not recipes:
        return ["- Recipe: nothing was trained"]
    names = [f.name for f in fields(Recipe)]
    common = [n for n in names if len({getattr(r, n) for r in recipes}) == 1]
    lines = [f"- Recipe: {_settings(recipes[0], common)}"]
    for row, found in by_row.items():
        different = [n for n in names if n not in common]
        texts = dict.fromkeys(_settings(r, different) for r in found)
        if different:
            lines.append(f"    - {escape(row)}: {'; '.join(texts)}")
    return lines


def _settings(recipe: Recipe, names: Iterable[str]) -> str:
    given = {n: getattr(recipe, n) for n in names}
    if given.get("micro_batch", "") is None:
        del given["micro_batch"]  # the batch is not split: nothing to say
    return ", ".join(f"{n} {escape(_plain(value))}" for n, value in given.items())


def _plain(value: Any) -> str:
    if value is None:
        return "as the encoder has it"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cost(table: Table) -> str:
    """What a row costs by construction; seconds depend on the machine and stand below the body."""
    rows = []
    for row in table.rows:
        costs = [r.cost for c in table.columns for r in table.entries[row, c].records]
        rows.append(
            [escape(row), *(_range(costs, key) for key in ("params", "flops_per_view", "views"))]
        )
    if not any("".join(row[1:]) for row in rows):
        return ""
    header = ["Row", "Trained parameters", "MACs a view", "Views"]
    return "**Cost by construction.**\n\n" + pipe_table(header, rows)


def _range(costs: Iterable[Any], key: str) -> str:
    values = sorted({cost[key] for cost in costs if cost.get(key) is not None})
    if not values:
        return ""
    if isinstance(values[0], str):
        return ", ".join(map(escape, values))
    ends = [count(v) for v in dict.fromkeys([values[0], values[-1]])]
    return " to ".join(dict.fromkeys(ends))
