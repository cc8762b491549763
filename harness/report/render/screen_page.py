"""Screens of a study, or of several, as Markdown pages and csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from harness.report.model.figure import Figure
from harness.report.model.screening import Candidate, Screening
from harness.report.render.markdown import ANSWER, END_OF_BODY
from harness.report.render.pipe_table import pipe_table
from harness.report.text.numbers import points
from harness.report.text.prose import escape
from harness.report.text.screening import (
    answer,
    chosen_sentence,
    coefficient,
    graded_rows,
    held_out_answer,
    how_it_agrees,
    order_of_rows,
    value_text,
    verdict,
    what_is_shared,
    what_was_measured,
)

#: A longer ranking is in the csv alone.
MOST_LINES = 200


def screen_page(study: Screening, by: str, figure: Figure | None, command: str) -> str:
    """The page of one study: its rows in the order of the screen `by`, and its agreement."""
    name = study.task.name
    sections = [
        f"# {escape(name)}: screen",
        escape(study.task.question),
        f"{ANSWER} {answer(study)}",
        f"```bash\n{command}\n```",
        "## Agreement with the outcome",
        agreement_table([study]) or "No outcomes yet: the rows are ranked without them.",
        " ".join([how_it_agrees(), graded_rows(study)]).strip() if study.agreement else "",
        f"![{escape(figure.alt)}]({name}_screen/{figure.name})" if figure else "",
        f"*{escape(figure.caption)}*" if figure else "",
        f"## Rows by {study.titles[by].lower()}",
        order_of_rows(study, by),
        _ranking(study, by),
        what_was_measured(study),
    ]
    return _page(sections)


def validation_page(
    studies: Sequence[Screening], held_out: Sequence[Screening], chosen: str | None, command: str
) -> str:
    """The page of several studies: a screen chosen on some, and what it is worth on others."""
    sections = [
        "# screen",
        "Which measure before training orders initial classifiers as training does?",
        f"{ANSWER} {held_out_answer(held_out, chosen)}" if held_out and chosen else "",
        f"```bash\n{command}\n```",
        "## Where the measure was chosen" if held_out else "## Studies",
        agreement_table(studies) or "No study has outcomes of enough rows.",
    ]
    if held_out and chosen is not None:
        sections += [
            chosen_sentence(chosen, studies, held_out),
            "## Held-out studies",
            agreement_table(held_out, chosen) or "No held-out study has outcomes of enough rows.",
        ]
    pages = ", ".join(
        f"[{escape(s.task.name)}]({s.task.name}_screen.md)" for s in (*studies, *held_out)
    )
    shared = what_is_shared([*studies, *held_out])
    sections += [how_it_agrees(), shared, f"The studies: {pages}."]
    return _page(sections)


def _page(sections: Sequence[str]) -> str:
    """With the mark of a page that the index of reports knows."""
    return "\n\n".join([*(s for s in sections if s), END_OF_BODY]) + "\n"


def agreement_table(studies: Sequence[Screening], chosen: str | None = None) -> str:
    """A line for every study and screen, the chosen one first and bold; empty without any."""
    rows = []
    for study in studies:
        names = sorted(study.agreement, key=lambda name: name != chosen)
        for name in names:
            found = study.agreement[name]
            title = study.titles[name]
            rows.append(
                [
                    escape(study.task.name),
                    f"**{title}**" if name == chosen else title,
                    coefficient(found.spearman),
                    coefficient(found.kendall),
                    f"{found.spearman.least:.2f} to {found.spearman.greatest:.2f}",
                    f"{found.spearman.columns} / {found.spearman.candidates}",
                    points(found.regret, 1),
                    verdict(found),
                ]
            )
    header = ["Study", "Measure", "Spearman's rho \\[95%\\]", "Kendall's tau \\[95%\\]",
              "rho over columns", "Columns / rows", "Regret", "Verdict"]  # fmt: skip
    return pipe_table(header, rows, left=2) if rows else ""


def _ranking(study: Screening, by: str) -> str:
    lines = [
        _line(study, candidate, place)
        for column in study.columns
        for place, candidate in enumerate(study.ranked(column, by), start=1)
    ]
    if len(lines) > MOST_LINES:
        return f"{len(lines)} entries: they are in the csv."
    header = ["Column", "Place", "Row", *study.titles.values(), "Top-1 after training"]
    return pipe_table(header, lines, left=3)


def _line(study: Screening, candidate: Candidate, place: int) -> list[str]:
    values = [value_text(candidate.values[name], unit) for name, unit in study.units.items()]
    top1 = "" if candidate.top1 is None else points(candidate.top1, 1)
    star = " \\*" if candidate.own else ""
    where = str(place) if any(values) else ""
    return [escape(candidate.column), where, f"{escape(candidate.row)}{star}", *values, top1]


def screen_csv(study: Screening) -> str:
    """One line per cell: row, column, draw, seed, what it was measured on, the screens (fractions),
    top1 after training, and the key, by which <task>.csv has its axes.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = list(study.titles)
    writer.writerow(["row", "column", "draw", "seed", "samples", "n", "made_of_samples", *names,
                     "why", "top1", "key"])  # fmt: skip
    for row, column, planned in study.cells:
        s = planned.screened
        values = [s.values.get(name) for name in names]
        measured = [s.samples, s.n or None, s.own, *values, s.why]
        writer.writerow([row, column.label, column.draw, planned.cell.seed, *measured,
                         planned.top1, planned.key])  # fmt: skip
    return out.getvalue()


def document(study: Screening, by: str) -> dict[str, object]:
    """A study as JSON has it: its rows in the order of a screen, and its agreement."""
    return {
        "task": study.task.name, "by": by, "titles": dict(study.titles),
        "candidates": [
            {"row": c.row, "column": column.label, "draw": column.draw, "seeds": c.seeds,
             "samples": c.samples, "made_of_samples": c.own, "values": dict(c.values),
             "top1": c.top1, "why": c.why}
            for column in study.columns for c in study.ranked(column, by)
        ],
        "agreement": {
            name: {"spearman": vars(a.spearman), "kendall": vars(a.kendall), "regret": a.regret}
            for name, a in study.agreement.items()
        },
    }  # fmt: skip
