"""One page about all tables and figures of the paper: what it claims, and what is measured here.

Times and hosts are below END_OF_BODY, as in the report of a task. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.report.model.claim_power import TARGET
from harness.report.model.claims import VERDICTS, JudgedClaim, adjust_page
from harness.report.model.paper import NOT_TESTABLE, PaperPart, title_of
from harness.report.model.published import Published
from harness.report.render.claim_power_table import claim_power_table
from harness.report.render.claim_table import claim_table
from harness.report.render.leaderboard import leaderboard
from harness.report.render.markdown import END_OF_BODY, picture
from harness.report.render.pipe_table import pipe_table
from harness.report.render.published_tables import protocol, published_table
from harness.report.text.numbers import margin_points
from harness.report.text.paper import COSTS, NOT_RUN, declared_in, opening, relation, verdict_list
from harness.report.text.prose import escape
from harness.report.text.provenance import provenance
from harness.task.declared import Declaration

#: Of the page, its folder of figures and its command.
NAME = "reproduce"


def page(
    parts: Sequence[PaperPart],
    published: Sequence[Published],
    command: str,
    declared: Declaration | None = None,
) -> str:
    """The whole page. `published` are the paper's numbers, which claims name by row and column;
    `declared` is the version of the tasks.
    """
    judged = adjust_page([part.judged() for part in parts])
    sections = [
        "# The paper's tables and figures, run here",
        opening(parts, judged),
        declared_in(declared) if declared is not None else "",
        "## Which claims hold",
        verdict_list(parts, judged),
        _overview(parts, judged),
        *_power(parts, judged),
    ]
    for part, of_part in zip(parts, judged, strict=True):
        sections += _section(part, of_part, published)
    sections += [END_OF_BODY, "## Cost and provenance", _cost_and_provenance(parts, command)]
    return "\n\n".join(s for s in sections if s) + "\n"


def _overview(parts: Sequence[PaperPart], judged: Sequence[Sequence[JudgedClaim]]) -> str:
    rows = []
    for part, of_part in zip(parts, judged, strict=True):
        counts = Counter(j.verdict for j in of_part)
        verdicts = "; ".join(f"{v}: {n}" for v in VERDICTS if (n := counts[v]))
        rows.append([part.title, escape(part.question), part.relation, _cells(part), verdicts])
    return pipe_table(["In the paper", "Question", "Here", "Cells", "Claims"], rows, left=5)


def _power(parts: Sequence[PaperPart], judged: Sequence[Sequence[JudgedClaim]]) -> list[str]:
    text = claim_power_table(parts, judged)
    title = f"## Which accuracy claims could tell {margin_points(TARGET)} points"
    return [title, text] if text else []


def _cells(part: PaperPart) -> str:
    if part.results is None:
        return part.relation if part.relation == NOT_TESTABLE else NOT_RUN
    results = part.results.once()
    done = sum(r.record is not None and r.record.status == "done" for r in results)
    return f"{done} done" if done == len(results) else f"{done} of {len(results)} done"


def _section(
    part: PaperPart, judged: Sequence[JudgedClaim], published: Sequence[Published]
) -> list[str]:
    out = [f"## {part.title}: {escape(part.question)}", relation(part)]
    out.append(claim_table(judged, published))
    if part.table is not None:
        name = part.task.name
        out += ["### Results here", leaderboard(part.table, verdicts=False)]
        out.append(f"Full report: [{name}]({name}.md).")
    out += [picture(figure, NAME) for figure in part.figures]
    out.append(_costs(part))
    for table in dict.fromkeys(n.table for n in part.published):
        numbers = [n for n in part.published if n.table == table]
        out += [f"### In the paper ({escape(table)})", published_table(numbers)]
        out.append(protocol(numbers[0]))
    return out


def _costs(part: PaperPart) -> str:
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
    header = ["Encoder", "Frames", "GMACs, paper's count", "M parameters, paper's count",
              "GMACs, in full", "M parameters, in full"]  # fmt: skip
    return f"### Cost, counted here\n\n{pipe_table(header, rows)}\n\n{COSTS}"


def _cost_and_provenance(parts: Iterable[PaperPart], command: str) -> str:
    rows = []
    studies = [part.results for part in parts if part.results is not None]
    for results in studies:
        records = [r.record for r in results.once() if r.record is not None]
        wall = sum(float(r.cost.get("wall_s") or 0) for r in records)
        rows.append([title_of(results.task.name), str(len(records)), f"{wall:.1f}"])
    if not studies:
        return f"- Command: `{command}`"
    table = pipe_table(["", "Records", "Wall time, summed over cells (s)"], rows)
    # Tables of the paper that share a cell run it once.
    once = {r.key: r for results in studies for r in results.results}
    return f"{table}\n\n{provenance(replace(studies[0], results=tuple(once.values())), command)}"
