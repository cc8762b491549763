"""The leaderboard as LaTeX: floats with booktabs tables that fit the width of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from harness.report.model.base_to_new import base_to_new
from harness.report.model.entry import ABSENT, INFEASIBLE
from harness.report.model.labels import JOINT
from harness.report.model.mean_table import mean_table, mean_titles
from harness.report.model.table import Table
from harness.report.render.base_to_new_table import DASH, NUMBERS, below, cells_of
from harness.report.render.leaderboard import mark, marks_text
from harness.report.render.tex_text import escape, from_markdown
from harness.report.text.average import average_caption
from harness.report.text.caption import caption
from harness.report.text.looks import sequential_caption
from harness.report.text.numbers import DOWN, UP, interval, points
from harness.report.text.precision import table_digits
from harness.report.text.status import in_a_cell
from harness.report.text.watermark import BANNER, chosen_on_test

#: More columns of numbers than these are set in parts below each other.
MOST_COLUMNS = 4
#: More lines than these do not fit a page: every part is a float of its own, of so many at most.
MOST_LINES, MOST_ROWS = 50, 40
#: Longer texts wrap; in characters, which are about half an em wide.
_ROW, _TITLE = 30, 22
_PACKAGES = r"% Needs \usepackage{booktabs} and \usepackage{graphicx}."
#: Narrower only if it would not fit; never wider.
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


@dataclass(frozen=True)
class _Grid:
    """Cells as TeX: a title for every column of numbers, `left` titles before them, and rows."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    heights: tuple[int, ...]  # of the rows, in lines
    left: int = 1
    banner: str = ""


def latex(table: Table) -> str:
    """Floats of the leaderboard, and of base, new and H where these are in the report. Each has
    caption and label; many columns are set in parts.
    """
    name = table.task.name
    texts = (
        caption(table), sequential_caption(table), average_caption(table),
        marks_text(table),
    )  # fmt: skip
    text = " ".join(from_markdown(t) for t in texts if t)
    floats = _floats(_leaderboard(table), text, f"tab:{name}")
    if pairs := base_to_new(table):
        header, rows = cells_of(pairs, table_digits(table))
        grid = _Grid(
            titles=tuple(map(escape, header)),
            rows=tuple(tuple(_text(cell) for cell in row) for row in rows),
            heights=tuple(max(map(_height, row)) for row in rows),
            left=len(header) - NUMBERS,
            banner=_banner(table),
        )
        floats += _floats(grid, from_markdown(below(pairs)), f"tab:{name}-base-to-new")
    return "\n\n".join([_PACKAGES, *floats]) + "\n"


def _leaderboard(table: Table) -> _Grid:
    digits, means = table_digits(table), mean_table(table)
    rows = []
    for row in table.rows:
        shown = [_shown(table, row, label, digits) for label in table.labels]
        shown += [_shown(means, row, label, digits) for label in means.labels] if means else []
        rows.append((_wrapped(row, _ROW) + from_markdown(mark(table, row)), *shown))
    titles = (_wrapped(t, _TITLE, at="b") for t in (*table.labels, *mean_titles(table)))
    heights = tuple(map(_height, table.rows))
    return _Grid(("", *titles), tuple(rows), heights, banner=_banner(table))


def _floats(grid: _Grid, text: str, label: str) -> list[str]:
    """One float with all parts, or one for each part where they do not fit a page together."""
    numbers = range(grid.left, len(grid.titles))
    if not numbers:  # a study of which no cell exists
        return []
    size = ceil(len(numbers) / ceil(len(numbers) / MOST_COLUMNS))  # parts of about equal width
    chunks = [numbers[i : i + size] for i in range(0, len(numbers), size)]
    if len(chunks) * (sum(grid.heights) + 4) <= MOST_LINES:
        parts = [_tabular(grid, chunk, grid.rows) for chunk in chunks]
        return [_float("\n\n\\smallskip\n".join(parts), text, label)]
    parts = [_tabular(grid, chunk, rows) for rows in _pages(grid) for chunk in chunks]
    first = f"{text} Part 1 of {len(parts)}."
    texts = [first if len(parts) > 1 else text]
    texts += [
        rf"Table~\ref{{{label}}}, part {n} of {len(parts)}." for n in range(2, len(parts) + 1)
    ]
    labels = [label, *(f"{label}-{n}" for n in range(2, len(parts) + 1))]
    return [_float(*of_part) for of_part in zip(parts, texts, labels, strict=True)]


def _pages(grid: _Grid) -> list[list[tuple[str, ...]]]:
    """The rows, as many together as fit a page."""
    pages: list[list[tuple[str, ...]]] = [[]]
    lines = 0
    for row, height in zip(grid.rows, grid.heights, strict=True):
        if pages[-1] and lines + height > MOST_ROWS:
            pages.append([])
            lines = 0
        pages[-1].append(row)
        lines += height
    return pages


def _height(text: str) -> int:
    return ceil(len(text) / _ROW) or 1


def _float(content: str, text: str, label: str) -> str:
    return "\n".join([
        r"\begin{table}", r"\centering", rf"\caption{{{text}}}", rf"\label{{{label}}}",
        r"\smallskip", content, r"\end{table}",
    ])  # fmt: skip


def _tabular(grid: _Grid, chunk: Sequence[int], rows: Sequence[Sequence[str]]) -> str:
    """Some of the columns of numbers, beside the texts on the left."""
    shown = [*range(grid.left), *chunk]
    warning = [rf"\multicolumn{{{len(shown)}}}{{l}}{{{grid.banner}}} \\", r"\midrule"]
    return "\n".join([
        _FIT,
        rf"\begin{{tabular}}{{{'l' * grid.left}{'r' * len(chunk)}}}",
        r"\toprule",
        *(warning if grid.banner else []),
        _line([grid.titles[i] for i in shown]),
        r"\midrule",
        *(_line([row[i] for i in shown]) for row in rows),
        r"\bottomrule",
        r"\end{tabular}}",
    ])  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    line = " & ".join(cells) + r" \\"
    # The line before ends in \\ or \midrule, which would take these as their arguments.
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


def _banner(table: Table) -> str:
    return rf"\textbf{{{escape(BANNER)}}}" if chosen_on_test(table) else ""


def _text(cell: str) -> str:
    return "--" if cell == DASH else _wrapped(cell, _ROW)


def _wrapped(text: str, most: int, at: str = "t") -> str:
    """A long text in a box in which it wraps; names may break after their underscores."""
    if len(text) <= most:
        return escape(text)
    # Breaks between the values of axes come before those within one.
    values = (v.replace(" ", "\u00a0") if len(v) <= most else v for v in text.split(JOINT))
    tex = escape(JOINT.join(values))
    for sign in (r"\_", "=", "(", ","):
        tex = tex.replace(sign, rf"{sign}\allowbreak{{}}")
    side = r"\raggedright" if at == "t" else r"\raggedleft"
    return rf"\parbox[{at}]{{{most / 2:g}em}}{{{side}\strut {tex}\strut}}"


def _shown(table: Table, row: str, label: str, digits: int) -> str:
    """Mean, interval and rank interval; bold as in the leaderboard."""
    columns = table.of_label(label)
    summary = table.summary(row, label)
    if summary is None:
        return _not_shown(table, row, label)
    mean, low, high = summary
    text = points(mean, digits)
    # Over class draws nothing is bold and nothing has a rank: both are of one draw.
    one = (row, columns[0]) if len(columns) == 1 else None
    if one in table.bold:
        text = rf"\textbf{{{text}}}"
    text += f" {bounds}" if (bounds := interval(low, high, digits)) else ""
    if one is not None and one in table.ranks:
        first, last = table.ranks[one]
        text += f" ({first})" if first == last else f" ({first}--{last})"
    mark_of = table.verdicts.marks.get(one, 0) if one is not None else 0
    return f"{text} {escape(UP if mark_of > 0 else DOWN)}" if mark_of else text


def _not_shown(table: Table, row: str, label: str) -> str:
    entries = [table.entries[row, c] for c in table.of_label(label)]
    statuses = {e.status for e in entries}
    if statuses <= {INFEASIBLE, ABSENT}:
        return "--" if INFEASIBLE in statuses else ""
    return _wrapped(in_a_cell(entries), _TITLE)
