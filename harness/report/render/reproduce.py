"""One page over all tables and figures of the paper: what it claims, and what is found here. Pure.

Times and hosts stand below END_OF_BODY, as in the report of a task.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.report.model.claims import AGAINST, DIFFERS, HOLDS, UNTESTED, VERDICTS, Judged, judge
from harness.report.model.published import Published
from harness.report.model.results import Study
from harness.report.model.table import Table
from harness.report.render.markdown import END_OF_BODY, Figure, leaderboard
from harness.report.text.numbers import decimals, detectable, interval, points, probability
from harness.report.text.prose import escape, listing, pipe_table
from harness.report.text.provenance import provenance
from harness.task.schema import ClaimModel, Task

NAME = "reproduce"
NOT_TESTABLE, NOT_RUN = "not testable", "not run"
_RELATIONS = {"same": "the same study", "analogue": "analogue", "not_testable": NOT_TESTABLE}


@dataclass(frozen=True)
class CostLine:
    """What an encoder costs for one view: multiply-adds and parameters, as the paper counts them
    (attention left out) and in full.
    """

    encoder: str
    frames: int
    macs_paper: int
    macs: int
    params_paper: int
    params: int


@dataclass(frozen=True)
class Part:
    """A table or figure of the paper. Without a study `why_not` says why it was not run."""

    task: Task
    study: Study | None = None
    table: Table | None = None
    why_not: str = ""
    published: tuple[Published, ...] = ()
    costs: tuple[CostLine, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.task.name)

    @property
    def question(self) -> str:
        return self.task.question.replace(f" ({self.title})", "")

    @property
    def relation(self) -> str:
        """How what was run relates to the paper's study."""
        own = self.study is not None and not self.task.name.endswith("_embedded")
        if own or self.task.embedded is None:
            return _RELATIONS["same"]
        return _RELATIONS[self.task.embedded.relation]

    def judged(self) -> list[Judged]:
        if self.study is None or self.table is None:
            return [Judged(c, c.column or "", why_not=self.why_not) for c in self.task.claims]
        return judge(self.study, self.table)


def title_of(name: str) -> str:
    """`table01_embedded` to Table 1, `figureA5` to Figure A.5."""
    found = re.match(r"(table|figure)(A?)0*(\d+)", name)
    if found is None:
        return name
    kind, appendix, number = found.groups()
    return f"{kind.capitalize()} {'A.' if appendix else ''}{number}"


def page(parts: Sequence[Part], printed: Sequence[Published], command: str) -> str:
    """The whole page. `printed` are the paper's numbers, which claims name by row and column."""
    judged = [part.judged() for part in parts]
    sections = [
        "# The paper's tables and figures, run here",
        _opening(parts, judged),
        "## Which claims hold",
        _answer(parts, judged),
        _overview(parts, judged),
    ]
    for part, found in zip(parts, judged, strict=True):
        sections += _section(part, found, printed)
    sections += [END_OF_BODY, "## Cost and provenance", _costs_and_hosts(parts, command)]
    return "\n\n".join(s for s in sections if s) + "\n"


def _opening(parts: Sequence[Part], judged: Sequence[Sequence[Judged]]) -> str:
    relations = Counter(part.relation for part in parts)
    made = listing([f"{n} {name}" for name, n in relations.items()])
    verdicts = [j.verdict for found in judged for j in found]
    tested = len(verdicts) - verdicts.count(UNTESTED)
    return (
        f"Tables and figures: {len(parts)} ({made}). Claims: {len(verdicts)}, of which {tested} "
        "are tested here. Printed numbers are imported and enter no test. Data, encoders and "
        "budgets are others than in print, so compare directions and not numbers: a claim that "
        "does not hold here is not refuted there, and one that holds is not confirmed there."
    )


def _answer(parts: Sequence[Part], judged: Sequence[Sequence[Judged]]) -> str:
    """A line a verdict, with the claims that have it."""
    lines = []
    for verdict in VERDICTS:
        of = [
            (part.title, j)
            for part, found in zip(parts, judged, strict=True)
            for j in found
            if j.verdict == verdict
        ]
        if of:
            places = listing(
                [f"{n} of {title}" for title, n in Counter(title for title, _ in of).items()]
            )
            lines.append(f"- **{verdict}:** {len(of)} ({places}).")
    return "\n".join(lines)


def _overview(parts: Sequence[Part], judged: Sequence[Sequence[Judged]]) -> str:
    rows = []
    for part, found in zip(parts, judged, strict=True):
        counts = Counter(j.verdict for j in found)
        verdicts = "; ".join(f"{v}: {n}" for v in VERDICTS if (n := counts[v]))
        rows.append([part.title, escape(part.question), part.relation, _cells(part), verdicts])
    return pipe_table(["In print", "Question", "Here", "Cells", "Claims"], rows, left=5)


def _cells(part: Part) -> str:
    if part.study is None:
        return part.relation if part.relation == NOT_TESTABLE else NOT_RUN
    done = sum(r.record is not None and r.record.status == "done" for r in part.study.results)
    total = len(part.study.results)
    return f"{done} done" if done == total else f"{done} of {total} done"


# --- a table or figure ---------------------------------------------------------------------------


def _section(part: Part, judged: Sequence[Judged], printed: Sequence[Published]) -> list[str]:
    out = [f"## {part.title}: {escape(part.question)}", _relation(part)]
    out.append(_claims(judged, printed))
    if part.table is not None:
        name = part.task.name
        out += ["### Found here", leaderboard(part.table), f"All of it: [{name}]({name}.md)."]
    out += [_picture(figure) for figure in part.figures]
    out += [_costs(part), _published(part)]
    return out


def _relation(part: Part) -> str:
    embedded = part.task.embedded
    text = f"Here: **{part.relation}**"
    if part.relation != _RELATIONS["same"] and embedded is not None and embedded.why:
        text += f". {escape(embedded.why)}"
    if part.why_not and part.relation != NOT_TESTABLE:
        text += f"\n\n**{NOT_RUN}:** {escape(part.why_not)}"
    return text


def _claims(judged: Sequence[Judged], printed: Sequence[Published]) -> str:
    rows = []
    for j in judged:
        c, digits = j.contrast, _digits(j)
        direction, clear = _direction(j)
        rows.append([
            escape(j.claim.text), _in_print(j.claim, printed), escape(j.column),
            _pair(j, digits), _gap(j, digits), probability(c.p_adjusted) if c else "",
            direction, clear, f"**{j.verdict}**",
        ])  # fmt: skip
    if not rows:
        return ""
    header = ["The paper says", "In print", "Column", "Here", "Difference \\[95% interval\\]",
              "Adjusted p", "Direction holds", "Significant", "Verdict"]  # fmt: skip
    why_not = dict.fromkeys(f"- {escape(j.why_not)}" for j in judged if j.why_not)
    return "\n\n".join(
        s for s in (pipe_table(header, rows, left=3), _reading(judged), "\n".join(why_not)) if s
    )


def _reading(judged: Sequence[Judged]) -> str:
    found = [j.contrast for j in judged if j.contrast is not None]
    if not found:
        return ""
    units = {
        "top1": "accuracies in points",
        "loss": "mean training losses of all epochs in nats",
        "correlation": "Pearson correlations of the map of cosines between classes with that of "
        "the texts",
    }
    measures = dict.fromkeys(j.claim.measure for j in judged)
    text = f"{'; '.join(units[m] for m in measures)}: first row against second. "
    tests = dict.fromkeys(c.test for c in found if c.p is not None)
    if tests:
        m = sum(c.p is not None for c in found)
        text += f"Test: {listing(list(tests))}; p adjusted by Holm over these claims (m = {m})."
    open_ = [j for j in judged if j.verdict not in (HOLDS, AGAINST, DIFFERS, UNTESTED)]
    smallest = [
        f"{detectable(j.contrast.smallest_detectable, _digits(j))} ({escape(j.claim.a)} against "
        f"{escape(j.claim.b)}{', ' + escape(j.column) if j.column else ''})"
        for j in open_
        if j.contrast is not None
        and j.contrast.smallest_detectable is not None
        and j.claim.measure == "top1"
    ]
    if smallest:
        text += f" Smallest detectable difference of what is open: {listing(smallest)}."
    return text[:1].upper() + text[1:]


def _digits(judged: Judged) -> int:
    c = judged.contrast
    return decimals(
        [None if c is None or c.low is None or c.high is None else (c.high - c.low) / 2]
    )


def _pair(judged: Judged, digits: int) -> str:
    if judged.a is None or judged.b is None:
        return ""
    return f"{_value(judged, judged.a, digits)} and {_value(judged, judged.b, digits)}"


def _value(judged: Judged, value: float, digits: int) -> str:
    if judged.claim.measure == "top1":
        return points(value, digits)
    return f"{value:.{digits + 2}f}"


def _gap(judged: Judged, digits: int) -> str:
    c = judged.contrast
    if c is None:
        return ""
    if judged.claim.measure == "top1":
        text = f"{points(c.difference, digits, sign=True)} "
        text += interval(c.low, c.high, digits, sign=True)
    else:
        text = f"{c.difference:+.{digits + 2}f}"
        if c.low is not None and c.high is not None:
            text += f" [{c.low:+.{digits + 2}f}, {c.high:+.{digits + 2}f}]"
    return text.strip().replace("[", "\\[").replace("]", "\\]")


def _direction(judged: Judged) -> tuple[str, str]:
    """(does the direction hold, is the difference significant) in words."""
    c = judged.contrast
    if c is None:
        return "", ""
    clear = "" if c.p_adjusted is None else "yes" if judged.verdict in _CLEAR else "no"
    if judged.claim.direction == "=":
        return "no" if judged.verdict == DIFFERS else "not refuted", clear
    return "yes" if c.difference > 0 else "no", clear


_CLEAR = (HOLDS, AGAINST, DIFFERS)


def _in_print(claim: ClaimModel, printed: Sequence[Published]) -> str:
    known = {(n.table, n.row, n.column): n for n in printed}
    found = [known[claim.table or "", row, column] for row, column in claim.printed]
    return " and ".join(_as_printed(n, printed) for n in found)


def _as_printed(number: Published, numbers: Iterable[Published]) -> str:
    """With the decimals of its column: 59.30 beside 81.52."""
    place = (number.table, number.column)
    texts = [f"{n.value:.10g}" for n in numbers if (n.table, n.column) == place]
    return f"{number.value:.{max(len(t.partition('.')[2]) for t in texts)}f}"


def _picture(figure: Figure) -> str:
    alt = figure.caption.partition(". ")[0]
    return f"![{escape(alt)}]({NAME}/{figure.name})\n\n*{escape(figure.caption)}*"


def _costs(part: Part) -> str:
    if not part.costs:
        return ""
    rows = [
        [escape(line.encoder), str(line.frames), *(
            f"{value / size:,.1f}"
            for value, size in ((line.macs_paper, 1e9), (line.params_paper, 1e6),
                                (line.macs, 1e9), (line.params, 1e6))
        )]
        for line in part.costs
    ]  # fmt: skip
    header = ["Encoder", "Frames", "G as in print", "M as in print", "G in full", "M in full"]
    return (
        f"### Cost, counted here\n\n{pipe_table(header, rows)}\n\nMultiply-adds of one view and "
        "parameters: the image encoder, and a transformer over its frames where the task has one. "
        "As in print: convolutions and linear layers outside attention, which the paper's profiler "
        "counts. In full: every matrix product, every parameter."
    )


def _published(part: Part) -> str:
    out = []
    for table in dict.fromkeys(n.table for n in part.published):
        numbers = [n for n in part.published if n.table == table]
        columns = list(dict.fromkeys(n.column for n in numbers))
        values = {(n.row, n.column): _as_printed(n, numbers) for n in numbers}
        rows = [
            [escape(row), *(values.get((row, column), "–") for column in columns)]
            for row in dict.fromkeys(n.row for n in numbers)
        ]
        first = numbers[0]
        out += [
            f"### In print ({escape(table)})",
            pipe_table(["", *map(escape, columns)], rows),
            f"{escape(first.protocol)}. Known deviation: {escape(first.deviation)}",
        ]
    return "\n\n".join(out)


# --- what is not the science ---------------------------------------------------------------------


def _costs_and_hosts(parts: Iterable[Part], command: str) -> str:
    rows = []
    studies = [part.study for part in parts if part.study is not None]
    for study in studies:
        records = [r.record for r in study.results if r.record is not None]
        wall = sum(float(r.cost.get("wall_s") or 0) for r in records)
        rows.append([title_of(study.task.name), str(len(records)), f"{wall:.1f}"])
    if not studies:
        return f"- Command: `{command}`"
    table = pipe_table(["", "Records", "Wall time of its cells, summed (s)"], rows)
    # Tables that share a cell run it once.
    once = {r.key: r for study in studies for r in study.results}
    return f"{table}\n\n{provenance(replace(studies[0], results=tuple(once.values())), command)}"
