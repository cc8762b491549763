"""How the numbers were made: what every cell shares, and what only some do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from math import prod
from typing import Any

from harness.core.cells import Cell, Recipe
from harness.core.hashing import canonical
from harness.report.model.results import Study
from harness.report.model.table import Table
from harness.report.text.prose import escape, listing
from harness.task.grid import value_of

_TITLES = {
    "dataset": "Dataset", "regime": "Regime", "shots": "Shots", "fraction": "Fraction",
    "class_seed": "Seed of the class draw", "test_dataset": "Test dataset", "encoder": "Encoder",
    "text_encoder": "Text encoder", "alignment": "Alignment", "prompt": "Prompt",
    "temporal": "Temporal head", "frames": "Frames", "resolution": "Resolution",
    "views": "Views (clips x crops)", "classifier": "Classifier", "schedule": "Schedule",
    "paradigm": "Paradigm", "gather": "Batch gather", "text_tower": "Text tower", "loss": "Loss",
    "method": "Method", "tuning": "Tuned part", "init": "Begins from the saved weights",
}  # fmt: skip


def method(study: Study, table: Table) -> str:
    """The method section: settings, recipe, selection, seeds and search budget."""
    cells = [r.cell for r in study.results]
    lines = [
        f"- {title}: {text}" for axis, title in _TITLES.items() if (text := _values(cells, axis))
    ]
    lines += [f"- Classes: {_classes(study, table)}"]
    lines += [f"- Seeds: {_seeds(cells)}", f"- Selection: {_selection(cells)}"]
    lines += [f"- {_budget(table, cells)}", *_recipes(table), *_chosen(table)]
    return "\n".join(lines)


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
        "test": "**the last epoch of the configuration that is best on the reported test set, "
        "which inflates accuracy**",
    }
    return "; ".join(how.get(s, escape(s)) for s in dict.fromkeys(c.selection for c in cells))


def _budget(table: Table, cells: Iterable[Cell]) -> str:
    """How much every row was tuned, and which rows had nothing to tune."""
    by_row: dict[int, list[str]] = defaultdict(list)
    val = set()
    for row, found in _cells(table).items():
        tried = {prod(len(v) for _, v in c.search or ()) for c in found if c.recipe is not None}
        by_row[max(tried, default=0)].append(escape(row))
        val |= {c.val for c in found if c.search}
    none = by_row.pop(0, [])
    if not by_row:
        return "Search budget: none (nothing was trained)"
    if val:
        numbers = [
            (f"{n} configurations" if n > 1 else "1 configuration (a fixed recipe)", n)
            for n in sorted(by_row, reverse=True)
        ]
        text = (
            f"{numbers[0][0]} a row, the same for every row{' that is trained' * bool(none)}"
            if len(numbers) == 1
            else ", ".join(f"{words} for {listing(by_row[n])}" for words, n in numbers)
        )
        samples = listing([str(v) for v in sorted(v for v in val if v is not None)])
        on = f"{samples} validation samples of every class, never trained on"
        text += f"; chosen on {on if samples else 'the test set'}"
    else:
        together: dict[Cell, set[Recipe | None]] = defaultdict(set)
        for c in cells:
            together[replace(c, recipe=None)].add(c.recipe)
        most = max(map(len, together.values()), default=1)
        text = "1 configuration a row (a fixed recipe; nothing was searched)"
        if most > 1:
            text = f"{most} configurations a row; each is reported and none was selected"
    return f"Search budget: {text}" + (
        f"; none for {listing(none)} (nothing is trained)" if none else ""
    )


def _cells(table: Table) -> dict[str, list[Cell]]:
    """The cells of a row, one a column."""
    by_row: dict[str, list[Cell]] = defaultdict(list)
    for (row, _), entry in table.entries.items():
        if entry.cell is not None:
            by_row[row].append(entry.cell)
    return by_row


def _recipes(table: Table) -> list[str]:
    """One line if all that trains shares a recipe; what differs is said row by row.

    A key that was searched has no value of its own here: see `_chosen`.
    """
    by_row: dict[str, list[dict[str, Any]]] = {}
    for row, cells in _cells(table).items():
        if found := [_fixed(c.recipe, c) for c in cells if c.recipe is not None]:
            by_row[row] = found
    recipes = [r for found in by_row.values() for r in found]
    if not recipes:
        return ["- Recipe: nothing was trained"]
    missing = object()  # searched in one cell and fixed in another is no common value
    common = [
        f.name
        for f in fields(Recipe)
        if f.name in recipes[0] and len({r.get(f.name, missing) for r in recipes}) == 1
    ]
    searched = sorted({key for cells in _cells(table).values() for c in cells
                       for key, _ in c.search or ()})  # fmt: skip
    lines = [f"- Recipe: {_settings({n: recipes[0][n] for n in common})}"]
    lines[0] += f"; searched: {', '.join(searched)}" if searched else ""
    for row, found in by_row.items():
        own = [{n: v for n, v in r.items() if n not in common} for r in found]
        if texts := [text for text in dict.fromkeys(map(_settings, own)) if text]:
            lines.append(f"    - {escape(row)}: {'; '.join(texts)}")
    return lines


def _fixed(recipe: Recipe, cell: Cell) -> dict[str, Any]:
    searched = {key for key, _ in cell.search or ()}
    return {f.name: getattr(recipe, f.name) for f in fields(Recipe) if f.name not in searched}


def _chosen(table: Table) -> list[str]:
    """What the search chose in each row, and how often over its seeds and columns."""
    by_row: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (row, _), entry in table.entries.items():
        chosen = (r.diagnostics.get("chosen") for r in entry.records)
        by_row[row] += [c for c in chosen if c is not None]
    lines = []
    for row, found in by_row.items():
        if found:
            settings = {canonical(c): _settings(c) for c in found}
            times = sorted(Counter(map(canonical, found)).items(), key=lambda t: (-t[1], t[0]))
            parts = [f"{settings[key]} ({n} of {len(found)})" for key, n in times]
            lines.append(f"    - {escape(row)}: {'; '.join(parts)}")
    return ["- Chosen by the search, over seeds and columns:", *lines] if lines else []


def _settings(given: Mapping[str, Any]) -> str:
    # A batch that is not split: nothing to say.
    told = {n: v for n, v in given.items() if n != "micro_batch" or v is not None}
    return ", ".join(f"{n} {escape(_plain(value))}" for n, value in told.items())


def _plain(value: Any) -> str:
    if value is None:
        return "as the encoder has it"
    return f"{value:g}" if isinstance(value, float) else str(value)
