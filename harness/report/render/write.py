"""Results -> files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO

from harness.core.files import write_atomically
from harness.report.model.published import read_published
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.render import csv_files, html, markdown, tex
from harness.report.render.figures import draw
from harness.report.render.index import MARKER, index_page
from harness.report.render.page_summary import summary_of
from harness.report.text.details import details

#: The index of a folder of reports; code hosts show it as the page of the folder.
INDEX = "README.md"


def write_report(results: Results, folder: Path, command: str) -> list[Path]:
    """Write a report to `folder`, and the folder's index; return the report's files, the Markdown
    first.

    <task>.md, .html, .tex, .csv, _contrasts.csv, with a search _trials.csv, and the figures in
    <task>/. `command` is what a reader types to make it again. Each file is written as a whole or
    not at all.

    Raises UnknownName for a row, column or file of published numbers that does not exist,
    OutputError or DiskFull.
    """
    name = results.task.name
    published = [n for file in results.task.report.published for n in read_published(file)]
    table = build_table(results)
    figures = draw(results, table)
    page = markdown.report(results, table, figures, published, command)
    # Of large studies these take a hundred megabytes: no text is kept beside its bytes.
    contents = {
        folder / f"{name}.md": page.encode(),
        folder / f"{name}.html": html.page(page, name, figures, [details(table)]).encode(),
        folder / f"{name}.tex": tex.latex(table).encode(),
        folder / f"{name}.csv": csv_files.cells_csv(results).encode(),
        folder / f"{name}_contrasts.csv": csv_files.contrasts_csv(table).encode(),
    }
    if trials := csv_files.trials_csv(table):
        contents[folder / f"{name}_trials.csv"] = trials.encode()
    # Figures first: a page that exists can show them.
    figure_files = {folder / name / figure.name: figure.png for figure in figures}
    write_files({**figure_files, **contents})
    write_index(folder)
    return [*contents, *figure_files]


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write each file as a whole or not at all, in this order.

    Raises OutputError or DiskFull.
    """
    for path, data in contents.items():
        write_atomically(path, partial(_put, data))


def write_index(folder: Path) -> None:
    """Write the index of the reports in `folder` to its README.md, unless that is someone else's.

    It depends on the pages alone. Where several processes write reports at once, the last index has
    all pages: each looks again after writing, and no index is written before the page it is for.

    Raises OutputError or DiskFull.
    """
    written = ""
    while not_ours(folder) is None and (text := _index_of(folder)) != written:
        write_files({folder / INDEX: text.encode()})
        written = text


def not_ours(folder: Path) -> str | None:
    """A sentence if the README.md of `folder` is not an index that the harness wrote."""
    path = folder / INDEX
    try:
        with path.open(encoding="utf-8") as handle:
            ours = handle.readline().strip() == MARKER
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        ours = False
    if ours:
        return None
    return f"{path} is not an index that the harness wrote, so it is left as it is"


def _index_of(folder: Path) -> str:
    summaries = []
    for path in folder.glob("*.md"):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # a folder, a page that is gone, or no text: nothing that the harness wrote
        if path.name != INDEX and (summary := summary_of(path.name, text)) is not None:
            summaries.append(summary)
    return index_page(summaries)


def _put(data: bytes, handle: IO[bytes]) -> None:
    handle.write(data)
