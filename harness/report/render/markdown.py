"""Table -> the report. Above END_OF_BODY it is a pure function of the science."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.contrasts import REFERENCE
from harness.report.model.figure import Figure
from harness.report.model.other_claims import other_claims
from harness.report.model.published import Published
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.average_table import average_table
from harness.report.render.base_to_new_table import base_to_new_table
from harness.report.render.contrast_tables import contrast_sections, draws_table
from harness.report.render.controls_table import controls_table
from harness.report.render.cost_tables import as_measured, by_construction
from harness.report.render.figures import of_classes, of_controls, of_cost, of_means, of_measures
from harness.report.render.gains_table import gains_table
from harness.report.render.head_table import head_table
from harness.report.render.leaderboard import leaderboard
from harness.report.render.measure_table import measure_table
from harness.report.render.published_tables import published_tables
from harness.report.render.speed_table import speed_table
from harness.report.render.split_table import split_table
from harness.report.render.undecided_table import undecided_table
from harness.report.render.within_table import within_table
from harness.report.text.answer import answer
from harness.report.text.beside_claims import beside_claims
from harness.report.text.caption import estimands
from harness.report.text.glossary import glossary
from harness.report.text.method import method
from harness.report.text.missing import missing
from harness.report.text.prose import escape
from harness.report.text.provenance import provenance
from harness.report.text.relation import relation_here
from harness.report.text.shared_variance import any_share
from harness.report.text.watermark import warning

END_OF_BODY = "<!-- end of body -->"
#: Headings of leaderboards, here and on the page of `reproduce`.
LEADERBOARDS = ("Leaderboard", "Results here")
#: Begins the answer, below the question.
ANSWER = "**Answer.**"


def report(
    results: Results,
    table: Table,
    figures: Sequence[Figure],
    published: Sequence[Published],
    command: str,
) -> str:
    """The whole page."""
    spent = f"{as_measured(table)}\n\n{provenance(results, command)}".lstrip()
    tail = f"{END_OF_BODY}\n\n## Cost and provenance\n\n{spent}\n"
    return body(results, table, figures, published) + tail


def body(
    results: Results, table: Table, figures: Sequence[Figure], published: Sequence[Published]
) -> str:
    """The results alone: no time, date, host or commit enters it, so that two runs can be compared
    byte for byte.
    """
    task = results.task
    sections: list[tuple[str, str]] = [
        (f"# {escape(task.name)}", warning(table)),
        ("", escape(task.question)),
        ("", f"{ANSWER}{answer(table, other_claims(results, table))}"),
        ("", relation_here(task)),
        ("## Leaderboard", leaderboard(table)),
        ("", beside_claims(table)),
        ("", "\n\n".join(picture(f, task.name) for f in figures if _beside_rows(f))),
        (f"## Mean over {table.average.noun if table.average else ''}", average_table(table)),
        ("", "\n\n".join(picture(f, task.name) for f in figures if of_means(f))),
        (f"## What {escape(task.report.within)} changes", within_table(table)),
        ("## What is undecided", undecided_table(table)),
        *contrast_sections(table),
        ("## What carries the gain", controls_table(table)),
        ("", "\n\n".join(picture(f, task.name) for f in figures if of_controls(f))),
        ("## Base to new", base_to_new_table(table)),
        ("## Over class draws", draws_table(table)),
        ("## Over the official splits", split_table(table)),
        ("## Steps to a target loss", speed_table(table)),
        ("## What became of the heads", head_table(table)),
        ("## Further measures", measure_table(table)),
        ("", "\n\n".join(picture(f, task.name) for f in figures if of_measures(f))),
        ("## Which classes change", gains_table(results, table)),
        ("", "\n\n".join(picture(f, task.name) for f in figures if of_classes(f))),
        ("## Accuracy and cost", by_construction(table)),
        ("", "\n\n".join(picture(f, task.name) for f in figures if of_cost(f))),
        ("## Published numbers", published_tables(published)),
        ("## What is missing", missing(table)),
        ("## Method", method(results, table)),
        ("## How to read this", _glossary(table)),
    ]
    parts = []
    for title, text in sections:
        if text or title.startswith("# "):
            parts += [part for part in (title, text) if part]
    return "\n\n".join(parts) + "\n\n"


def _beside_rows(figure: Figure) -> bool:
    """Whether a figure has no section of its own."""
    own = (of_means, of_measures, of_controls, of_cost, of_classes)
    return not any(is_of(figure) for is_of in own)


def _glossary(table: Table) -> str:
    return glossary(
        estimands=estimands(table),
        marks=table.family == REFERENCE,
        margin=table.task.report.margin is not None,
        means=table.average is not None,
        shared=any_share(table),
    )


def picture(figure: Figure, folder: str) -> str:
    """A figure in a folder beside the page, and its caption."""
    return f"![{escape(figure.alt)}]({folder}/{figure.name})\n\n*{escape(figure.caption)}*"
