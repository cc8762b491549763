"""The leaderboard as a booktabs table for a paper."""

from __future__ import annotations

from harness.report.model.base_to_new import base_to_new
from harness.report.model.entry import ABSENT, INFEASIBLE
from harness.report.model.mean_table import mean_table, mean_titles
from harness.report.model.table import Table
from harness.report.render.base_to_new_table import DASH, NUMBERS, cells_of
from harness.report.text.average import average_caption
from harness.report.text.caption import caption
from harness.report.text.numbers import interval, points
from harness.report.text.precision import table_digits
from harness.report.text.watermark import BANNER, chosen_on_test

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "·": r"$\cdot$", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def tabular(table: Table) -> str:
    """A tabular of the leaderboard (needs the package booktabs), with its caption as a comment."""
    digits = table_digits(table)
    means = mean_table(table)
    titles = [*table.labels, *mean_titles(table)]
    lines = [
        *(
            f"% {text.replace(chr(92), '')}"
            for text in (caption(table), average_caption(table))
            if text
        ),
        rf"\begin{{tabular}}{{l{'r' * len(titles)}}}",
        r"\toprule",
        *_warning(table),
        " & ".join(["", *map(escape, titles)]) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        shown = [_shown(table, row, label, digits) for label in table.labels]
        shown += [_shown(means, row, label, digits) for label in means.labels] if means else []
        lines.append(" & ".join([escape(row), *shown]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", "", *_base_to_new(table)])


def _base_to_new(table: Table) -> list[str]:
    """Lines of a second tabular, with base, new and H; none where nothing is tested so."""
    pairs = base_to_new(table)
    if not pairs:
        return []
    header, rows = cells_of(pairs, table_digits(table))
    body = [" & ".join(escape(cell.replace(DASH, "--")) for cell in row) + r" \\" for row in rows]
    return [
        "% Base to new: means over seeds, and their harmonic mean H",
        rf"\begin{{tabular}}{{{'l' * (len(header) - NUMBERS)}{'r' * NUMBERS}}}",
        r"\toprule", " & ".join(header) + r" \\", r"\midrule", *body, r"\bottomrule",
        r"\end{tabular}", "",
    ]  # fmt: skip


def _warning(table: Table) -> list[str]:
    if not chosen_on_test(table):
        return []
    width = 1 + len(table.labels) + len(mean_titles(table))
    return [rf"\multicolumn{{{width}}}{{l}}{{\textbf{{{BANNER}}}}} \\", r"\midrule"]


def escape(text: str) -> str:
    """Text that TeX prints as it is."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _shown(table: Table, row: str, label: str, digits: int) -> str:
    columns = table.of_label(label)
    summary = table.summary(row, label)
    if summary is None:
        statuses = {table.entries[row, c].status for c in columns}
        if statuses <= {INFEASIBLE, ABSENT}:
            return "--" if INFEASIBLE in statuses else ""
        return "missing"
    mean, low, high = summary
    text = points(mean, digits)
    if len(columns) == 1 and (row, columns[0]) in table.bold:
        text = rf"\textbf{{{text}}}"
    # Braces: a bracket at the start of a line after \\ would be read as its optional argument.
    return f"{text} {{{bounds}}}" if (bounds := interval(low, high, digits)) else text
