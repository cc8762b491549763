"""What the index says of a page, read from the page itself: title, question, answer, figure.

So the index is a function of the pages in a folder, and of nothing that was in memory when they
were written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.core.words import plural
from harness.report.model.paper import title_of
from harness.report.render.markdown import ANSWER, END_OF_BODY
from harness.report.text.prose import first_sentence
from harness.report.text.watermark import HEAD

#: Marks a page of measurements of the harness itself, which has no end of a body.
MEASUREMENTS = "<!-- measurements of the harness -->"

STUDY, PAPER, MEASURED = "study", "paper", "measured"

_PICTURE = re.compile(r"^!\[((?:\\.|[^\]\\])*)\]\(([^):]+)\)", re.MULTILINE)
_CLAIMS = re.compile(r"^## Which claims hold\n\n((?:- .*\n)+)", re.MULTILINE)
#: Verdict, number of claims, and how many different comparisons they are where these are fewer.
_VERDICT = re.compile(
    r"^- \*\*(.+?):\*\* (\d+)(?: claims?, (\d+ different comparisons?))?", re.MULTILINE
)
_METHOD = re.compile(r"^## Method\n\n((?:.+\n)+)", re.MULTILINE)
#: A line of the method section whose axis has several values.
_VARIED = re.compile(r"^- ([A-Z][^:]*): [^:;]+, ", re.MULTILINE)
#: Lines of the method section that are no axes, and the seeds, which every study has.
_NO_AXES = ("Classes", "Seeds", "Selection", "Search budget", "Recipe", "Protocol")


@dataclass(frozen=True)
class PageSummary:
    """A page of reports/. Texts are Markdown, each on one line; an unknown one is empty."""

    file: str  # few_shot.md
    kind: str  # STUDY | PAPER | MEASURED
    title: str
    question: str
    answer: str
    figure: str = ""  # its path from the folder of the page
    alt: str = ""  # of the figure


def summary_of(file: str, text: str) -> PageSummary | None:
    """The summary of a Markdown file; None if the harness did not write it."""
    measured = MEASUREMENTS in text
    if not measured and f"\n{END_OF_BODY}\n" not in text:
        return None
    body = text.partition(END_OF_BODY)[0]
    title, head = _head(body)
    if not title:
        return None
    of_paper = title_of(file) != file or _CLAIMS.search(body) is not None
    picture = _PICTURE.search(body)
    return PageSummary(
        file=file,
        kind=MEASURED if measured else PAPER if of_paper else STUDY,
        title=title,
        question="" if measured else _question(head) or _axes(body),
        answer=_answer(body),
        figure=picture[2] if picture else "",
        alt=picture[1] if picture else "",
    )


def _head(body: str) -> tuple[str, list[str]]:
    """The title, and the paragraphs between it and the next title."""
    first, _, rest = body.lstrip().removeprefix(MEASUREMENTS).lstrip().partition("\n")
    title = first.removeprefix("# ").strip() if first.startswith("# ") else ""
    return title, re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0].strip().split("\n\n")


def _question(paragraphs: list[str]) -> str:
    if not any(p.startswith(ANSWER) for p in paragraphs):
        return ""
    for paragraph in paragraphs:
        if paragraph.startswith(ANSWER):
            break
        if not paragraph.startswith(HEAD):
            return " ".join(paragraph.split())
    return ""


def _axes(body: str) -> str:
    """What varies in a study without a question."""
    lines = _METHOD.search(body)
    axes = [a for a in _VARIED.findall(lines[1] if lines else "") if a not in _NO_AXES]
    return f"Varied: {', '.join(a[:1].lower() + a[1:] for a in axes)}." if axes else ""


def _answer(body: str) -> str:
    """The first sentence of the answer; of a page without one, how its claims or targets fare."""
    if ANSWER in body:
        text = re.split(r"^## ", body.partition(ANSWER)[2], maxsplit=1, flags=re.MULTILINE)[0]
        first = re.sub(r"^[-*] ", "", text.strip()).split("\n\n")[0].split("\n- ")[0]
        warning = f"{HEAD} " if f"\n{HEAD}" in body.partition(ANSWER)[0] else ""
        return f"{warning}{first_sentence(first)}"
    if (claims := _CLAIMS.search(body)) is not None:
        counts = "; ".join(
            f"{verdict}: {n}" + (f" ({different})" if different else "")
            for verdict, n, different in _VERDICT.findall(claims[1])
        )
        return f"Claims: {counts}." if counts else ""
    met, not_met = (len(re.findall(rf"\| {how} \|$", body, re.MULTILINE)) for how in _MET)
    return f"{met} of {plural(met + not_met, 'target')} met." if met + not_met else ""


#: The last cell of a line with a target.
_MET = ("met", "not met")
