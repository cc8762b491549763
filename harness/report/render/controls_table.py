"""What carries the gain: the parts of the gain of text over random rows, as a Markdown table."""

from __future__ import annotations

from harness.report.model.controls import Part, controls
from harness.report.model.equivalence import margin_of
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.controls import below_controls, controls_sentences, verdict
from harness.report.text.numbers import interval, points, probability
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import brackets, escape


def controls_table(table: Table) -> str:
    """Empty for a study without controls of the text."""
    found = controls(table)
    if found is None:
        return ""
    margin = margin_of(table)
    digits = contrast_digits(p.contrast for p in found.parts if p.contrast is not None)
    rows = [_line(part, margin, digits) for part in found.parts]
    header = ["Column", "Part", "Rows", brackets("Difference [95% interval]"), "p", "Adjusted p",
              "Verdict"]  # fmt: skip
    said = "\n".join(f"- {s}" for s in controls_sentences(found, margin, digits))
    parts = (said, pipe_table(header, rows, left=3), below_controls(found))
    return "\n\n".join(part for part in parts if part)


def _line(part: Part, margin: float | None, digits: int) -> list[str]:
    head = [escape(part.column), part.name, f"{escape(part.a)} minus {escape(part.b)}"]
    c = part.contrast
    if c is None:
        return [*head, "missing", "", "", verdict(part, margin)]
    gap = points(c.difference, digits, sign=True)
    bounds = brackets(interval(c.low, c.high, digits, sign=True))
    return [
        *head,
        f"{gap} {bounds}".strip(),
        probability(c.p) or "descriptive",
        probability(c.p_adjusted),
        verdict(part, margin),
    ]
