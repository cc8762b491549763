"""Training steps to a target loss, as a Markdown table."""

from __future__ import annotations

from harness.core.words import plural
from harness.report.model.speed import Speed, speeds
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.prose import escape

BELOW = (
    "Steps until the mean training loss of an epoch is at most the target: geometric mean over "
    "seeds \\[least, most\\]. A row has no mean where some of its seeds do not reach the target: "
    "their number of steps is not known. Descriptive: the answer has the tests of claims about "
    "steps."
)


def speed_table(table: Table) -> str:
    """Empty unless a claim of the task names a target, and a finished row has a curve."""
    found = speeds(table)
    if not found:
        return ""
    header = ["Column", "Row", "Target (nats)", "Training steps", "Seeds that reach it"]
    return f"{pipe_table(header, map(_line, found), left=2)}\n\n{BELOW}"


def _line(s: Speed) -> list[str]:
    return [
        escape(s.column), escape(s.row), f"{s.target:g}", _steps(s), f"{s.reached} of {s.seeds}",
    ]  # fmt: skip


def _steps(s: Speed) -> str:
    if not s.reached or s.low is None or s.high is None:
        return f"not reached in {plural(s.seeds, 'seed')}"
    bounds = f"\\[{s.low:,.0f}, {s.high:,.0f}\\]"
    if s.mean is None:
        return f"not reached in {s.seeds - s.reached} of {plural(s.seeds, 'seed')}; else {bounds}"
    return f"{s.mean:,.0f} {bounds}" if s.low < s.high else f"{s.mean:,.0f}"
