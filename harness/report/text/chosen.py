"""Lines of the method section on what was chosen: settings, from how many, and on which labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.cells import Cell, Choice
from harness.core.hashing import canonical
from harness.core.words import plural
from harness.report.model.entry import INFEASIBLE
from harness.report.model.table import Table
from harness.report.model.trials import best_on_average, settings_of
from harness.report.text.numbers import points
from harness.report.text.prose import escape, listing
from harness.report.text.samples import val_text
from harness.task.inputs import reads_support_samples

#: Settings of a row that are named; the others are counted.
_MOST_NAMED = 3
#: Of rows that used the same labels; the others of a long table are counted.
_MOST_ROWS = 8


def chosen(table: Table) -> list[str]:
    """What the search chose in each row, how often over its seeds and columns, from how many
    settings, and which one is best on average.
    """
    lines = []
    for row in table.rows:
        records = [r for column in table.columns for r in table.entries[row, column].records]
        of_row = [c for r in records if (c := r.diagnostics.get("chosen")) is not None]
        if of_row:
            lines.append(f"    - {escape(row)}: {'; '.join(_of_row(table, row, of_row))}")
    return ["- Chosen by the search, over seeds and columns:", *lines] if lines else []


def _of_row(table: Table, row: str, of_row: Sequence[Mapping[str, Any]]) -> list[str]:
    names = {canonical(c): settings(c) for c in of_row}
    # By frequency; equally frequent ones in a fixed order, so that equal results give equal text.
    counts = sorted(Counter(map(canonical, of_row)).items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{names[key]} ({n} of {len(of_row)})" for key, n in counts[:_MOST_NAMED]]
    if rest := counts[_MOST_NAMED:]:
        parts.append(f"{plural(len(rest), 'other')} ({sum(n for _, n in rest)} of {len(of_row)})")
    tried = settings_of(table, row)
    if len(tried) < 2:
        return parts
    best = best_on_average(tried)
    of = f"of {len(tried)} settings"
    if best is None or best.top1 is None:
        return [*parts, of]
    return [*parts, f"{of}, best on average: {settings(best.config)} ({points(best.top1, 1)})"]


def labels_used(table: Table) -> list[str]:
    """Which labels every row used, where any row has validation samples: a row that validates has
    seen more of them than one that does not.
    """
    entries = [(row, table.entries[row, column]) for row in table.rows for column in table.columns]
    if not any(e.cell is not None and e.cell.val is not None for _, e in entries):
        return []
    rows: dict[str, dict[str, None]] = defaultdict(dict)
    for row, entry in entries:
        if entry.cell is not None and entry.status != INFEASIBLE:
            rows[_labels(entry.cell)][escape(row)] = None
    parts = [f"{text} by {_named(list(of))}" for text, of in sorted(rows.items(), key=_size)]
    return [f"- Labels used: {'; '.join(parts)}"]


def _size(item: tuple[str, Mapping[str, None]]) -> int:
    return len(item[1])


def _named(rows: Sequence[str]) -> str:
    return listing(rows) if len(rows) <= _MOST_ROWS else f"{len(rows)} other rows"


def _labels(cell: Cell) -> str:
    """`K + 1 of every class (1 to choose)` and the like."""
    made_of = {"classifier": cell.classifier, "alignment": cell.alignment, "method": cell.method}
    if cell.recipe is None and cell.val is None and not reads_support_samples(made_of):
        return "none"
    fitted = "K of every class" if cell.shots is not None else "the training samples"
    if cell.val is None:
        return fitted
    if isinstance(cell.val, Choice):
        return f"{fitted}, and to choose {val_text(cell.val)}"
    if cell.shots is None:
        return f"{fitted}, of which {cell.val} of every class to choose"
    return f"K + {cell.val} of every class ({cell.val} to choose)"


def options_of_methods(table: Table) -> list[str]:
    """The options of every row's method that its label leaves out."""
    lines = []
    for row in table.rows:
        cells = [table.entries[row, column].cell for column in table.columns]
        methods = dict.fromkeys(c.method for c in cells if c is not None and c.method is not None)
        texts = [settings(dict(m.options)) for m in methods if m.options]
        if texts:
            lines.append(f"    - {escape(row)}: {'; '.join(texts)}")
    return ["- Options of the methods, where a task sets them:", *lines] if lines else []


def settings(values: Mapping[str, Any]) -> str:
    """`lr 0.001, decay constant`."""
    texts = {name.removeprefix("method."): _plain(name, value) for name, value in values.items()}
    return ", ".join(f"{name} {escape(text)}" for name, text in texts.items() if text)


def _plain(name: str, value: Any) -> str:
    """The value of a key of the recipe; nothing for a key that is not used."""
    if value is None:
        return "that of the encoder" if name == "logit_scale" else ""
    return f"{value:g}" if isinstance(value, float) else str(value)
