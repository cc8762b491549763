"""The tables and figures of the paper: what was run for each, and what it claims. Pure data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.report.model.claims import JudgedClaim, judge
from harness.report.model.figure import Figure
from harness.report.model.published import Published
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.task.schema import Task

SAME_STUDY, ANALOGUE, NOT_TESTABLE = "the same study", "analogue", "not testable"
_RELATIONS = {"same": SAME_STUDY, "analogue": ANALOGUE, "not_testable": NOT_TESTABLE}


@dataclass(frozen=True)
class CostLine:
    """The cost of an encoder for one view: multiply-accumulates and parameters, as the paper counts
    them (without attention) and in full.
    """

    encoder: str
    frames: int
    macs_paper: int
    macs: int
    params_paper: int
    params: int


@dataclass(frozen=True)
class PaperPart:
    """A table or figure of the paper. Without results, `why_not` says why it was not run."""

    task: Task
    results: Results | None = None
    table: Table | None = None
    why_not: str = ""
    published: tuple[Published, ...] = ()
    costs: tuple[CostLine, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def title(self) -> str:
        """As in `Table 1`."""
        return title_of(self.task.name)

    @property
    def question(self) -> str:
        """The question of the task, without the title in parentheses."""
        return self.task.question.replace(f" ({self.title})", "")

    @property
    def relation(self) -> str:
        """How what was run relates to the paper's study: SAME_STUDY, ANALOGUE or NOT_TESTABLE."""
        ran_itself = self.results is not None and not self.task.name.endswith("_embedded")
        if ran_itself or self.task.embedded is None:
            return SAME_STUDY
        return _RELATIONS[self.task.embedded.relation]

    def judged(self) -> list[JudgedClaim]:
        """Its claims, each in every column that it covers."""
        if self.results is None or self.table is None:
            return [JudgedClaim(c, c.column or "", why_not=self.why_not) for c in self.task.claims]
        return judge(self.results, self.table)


def title_of(name: str) -> str:
    """`table01_embedded` to `Table 1`, `figureA5` to `Figure A.5`; another name stays."""
    parts = re.match(r"(table|figure)(A?)0*(\d+)", name)
    if parts is None:
        return name
    kind, appendix, number = parts.groups()
    return f"{kind.capitalize()} {'A.' if appendix else ''}{number}"
