"""Base, new and H of every row, as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.base_to_new import BaseToNew, base_to_new
from harness.report.model.entry import ABSENT, INFEASIBLE
from harness.report.model.harmonic import harmonic_table
from harness.report.model.table import Table
from harness.report.render.contrast_tables import contrasts_table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.counts import counted
from harness.report.text.numbers import points
from harness.report.text.precision import table_digits
from harness.report.text.prose import escape
from harness.report.text.shared_variance import shared_variance

DASH = "–"
#: How many columns are numbers, the last ones.
NUMBERS = 3


def base_to_new_table(table: Table) -> str:
    """Empty where the task has no `test_classes`."""
    lines = base_to_new(table)
    if not lines:
        return ""
    header, rows = cells_of(lines, table_digits(table))
    escaped = [[escape(cell) for cell in row] for row in rows]
    left = len(header) - NUMBERS
    parts = [pipe_table(header, escaped, left=left), below(lines)]
    found = harmonic_table(table)
    if found is not None:
        parts += ["### Differences in H", contrasts_table(found), shared_variance(found, "of H")]
    return "\n\n".join(part for part in parts if part)


def cells_of(lines: Sequence[BaseToNew], digits: int) -> tuple[list[str], list[list[str]]]:
    """Header and rows as plain text; without `Column` where there is only one."""
    columns = any(line.place for line in lines)
    header = ["Row", *(["Column"] if columns else []), "Base", "New", "H"]
    rows = [
        [line.row, *([line.place] if columns else []), *_numbers(line, digits)] for line in lines
    ]
    return header, rows


def _numbers(line: BaseToNew, digits: int) -> list[str]:
    sides = ((line.base, line.base_status), (line.new, line.new_status))
    shown = [_shown(value, status, digits) for value, status in sides]
    if line.harmonic is not None:
        return [*shown, points(line.harmonic, digits)]
    statuses = {line.base_status, line.new_status}
    return [*shown, DASH if statuses & {INFEASIBLE, ABSENT} else "missing"]


def _shown(value: float | None, status: str, digits: int) -> str:
    if value is not None:
        return points(value, digits)
    return {INFEASIBLE: DASH, ABSENT: ""}.get(status, status)


def below(lines: Sequence[BaseToNew]) -> str:
    """What Base, New and H are."""
    base = counted((line.classes[0] for line in lines), "class")
    new = counted((line.classes[1] for line in lines), "other class")
    text = (
        f"Points. Base: mean top-1 accuracy over seeds on the {base} trained on; New: on "
        f"the {new}, by the same models; each among its own classes only. H = 2 Base "
        "New / (Base + New), the harmonic mean of the two means. Intervals of Base and New are "
        "above; in H, rows are compared by the delta method on the same seeds and items."
    )
    over = [what for what, some in (
        ("data sets", any(line.datasets > 1 for line in lines)),
        ("class draws", any(line.draws > 1 for line in lines)),
    ) if some]  # fmt: skip
    if over:
        text += f" The H of a mean over {' or '.join(over)} is that of the two means."
    return text
