"""What became of the heads on frozen features, as a Markdown table."""

from __future__ import annotations

from harness.report.model.heads import HeadEnd, head_ends
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.heads import of_heads
from harness.report.text.prose import escape

HEADER = (
    "Column", "Row", "Gradient norm", "Share of that at the start",
    "Relative distance from the start", "Rows to class means (degrees)", "Training margin",
)  # fmt: skip
BELOW = (
    "Means over seeds. Gradient norm: of the mean loss over the training samples at the end, of "
    "convex solvers with the penalty. "
    "Relative distance: \\|W - W0\\| / \\|W0\\|. Rows to class means: the angle between a row of W "
    "and the mean of the training features of its class, mean over classes. Training margin: the "
    "logit of the own class less the largest of the others, mean over training samples."
)
LEAST = 1e-9


def head_table(table: Table) -> str:
    """Empty where no finished cell has a head on frozen features."""
    ends = head_ends(table)
    if not ends:
        return ""
    lines = [_line(end) for end in ends]
    # Columns that no row has are left out.
    kept = [i for i in range(len(HEADER)) if any(line[i] for line in lines)]
    shown = [[line[i] for i in kept] for line in lines]
    table_text = pipe_table([HEADER[i] for i in kept], shown, left=2)
    return f"{table_text}\n\n{BELOW}\n\n{of_heads(ends)}"


def _line(end: HeadEnd) -> list[str]:
    return [
        escape(end.column), escape(end.row), _gradient(end.gradient_norm),
        _text(end.gradient_left, ".2g"), _text(end.relative_distance, ".2f"),
        _text(end.degrees, ".1f"), _text(end.margin, ".2f"),
    ]  # fmt: skip


def _gradient(norm: float | None) -> str:
    """What is smaller is the rounding of numbers, and differs between machines."""
    return f"< {LEAST:g}" if norm is not None and norm < LEAST else _text(norm, ".2g")


def _text(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"
