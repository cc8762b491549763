"""Table -> the report. Above END_OF_BODY it is a pure function of the science."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.report.model.entry import ABSENT, DONE, FAILED, INFEASIBLE, MEASURES, MISSING, Entry
from harness.report.model.labels import Column
from harness.report.model.published import Published
from harness.report.model.results import Study
from harness.report.model.table import Claim, Table
from harness.report.text.answer import answer, digits_of
from harness.report.text.glossary import glossary
from harness.report.text.ledger import by_construction, measured
from harness.report.text.method import method
from harness.report.text.numbers import (
    decimals,
    detectable,
    interval,
    percent,
    points,
    probability,
    span,
)
from harness.report.text.prose import escape, listing, pipe_table
from harness.report.text.provenance import provenance
from harness.report.text.watermark import warning
from harness.stats.pairwise import LEAST_SEEDS

END_OF_BODY = "<!-- end of body -->"
DASH = "–"
MOST_PAIRS = 150  # more than these nobody reads; the csv has them
_NOT_THERE = {INFEASIBLE: "not feasible", FAILED: "failed", MISSING: "missing"}


@dataclass(frozen=True)
class Figure:
    """A picture beside the report: file name in the task's folder, and what stands under it."""

    name: str
    caption: str
    png: bytes


def report(
    study: Study,
    table: Table,
    figures: Sequence[Figure],
    published: Sequence[Published],
    command: str,
) -> str:
    """The whole page."""
    spent = f"{measured(table)}\n\n{provenance(study, command)}".lstrip()
    tail = f"{END_OF_BODY}\n\n## Cost and provenance\n\n{spent}\n"
    return body(study, table, figures, published) + tail


def body(
    study: Study, table: Table, figures: Sequence[Figure], published: Sequence[Published]
) -> str:
    """What the science says: no time, date, host or commit goes in."""
    task = study.task
    sections: list[tuple[str, str]] = [
        (f"# {escape(task.name)}", warning(table)),
        ("", escape(task.question)),
        ("", f"**Answer.**{answer(table)}"),
        ("## Leaderboard", leaderboard(table)),
        ("", "\n\n".join(_figure(task.name, f) for f in figures)),
        *_contrast_sections(table),
        ("## Over class draws", _draws(table)),
        ("## Further measures", _measures(table)),
        ("## Accuracy and cost", by_construction(table)),
        ("## Published numbers", _published(published)),
        ("## What is missing", _missing(table)),
        ("## Method", method(study, table)),
        ("## How to read this", glossary(classes_drawn=_classes_are_drawn(_done(table)))),
    ]
    parts = []
    for title, text in sections:
        if text or title.startswith("# "):
            parts += [part for part in (title, text) if part]
    return "\n\n".join(parts) + "\n\n"


# --- the leaderboard -------------------------------------------------------------------------


def leaderboard(table: Table) -> str:
    digits = table_digits(table)
    rows = [
        [escape(row) + _mark(table, row)]
        + [_shown(table, row, label, digits) for label in table.labels]
        for row in table.rows
    ]
    text = pipe_table(["Row", *map(escape, table.labels)], rows)
    text += f"\n\n{two}" if (two := _two_families(table)) else ""
    text += f"\n\n{caption(table)}"
    notes = [f"- {escape(note)}" for note in table.task.report.notes]
    text += "\n\n" + "\n".join(notes) if notes else ""
    falling = [escape(r) for r in table.rows if _mark(table, r)]
    if falling:
        text += (
            f"\n\n\\* still falling: the training loss of {listing(falling)} had not converged "
            "(the last epoch was more than 5% and 0.01 nats below the mean of the 5 before); a "
            "longer recipe may change the row."
        )
    return text


def table_digits(table: Table) -> int:
    """Decimals of the leaderboard, in points."""
    found = [table.summary(row, label) for row in table.rows for label in table.labels]
    return decimals(
        (f[2] - f[1]) / 2 for f in found if f is not None and f[1] is not None and f[2] is not None
    )


def caption(table: Table) -> str:
    """What the numbers are: estimand, S, N, G, C, test, family and m."""
    done = _done(table)
    estimates = [e.estimate for e in done if e.estimate is not None]
    if not done:
        return "Nothing is done yet."
    drawn, classes = _classes_are_drawn(done), f"C = {span(e.classes for e in done)} classes"
    size = (
        f"{_seeds(done)}, N = {span(e.items for e in estimates)} "
        f"test items in G = {span(e.groups for e in estimates)} groups, "
    )
    size += (
        f"one a class: {classes} are drawn with their items" if drawn else f"for these {classes}"
    )
    if any(e.cell is not None and e.cell.regime == "zero_shot" for e in done):
        size += f" (chance, 100/C: {_chance(done)} points)"
    if any(c.draw is not None for c in table.columns):
        draws = len({c.draw for c in table.columns})
        return (
            f"Top-1 accuracy in points: mean over {draws} class draws [smallest, largest draw]; "
            f"each draw has {size}. Every draw has its own test items, so draws are compared one "
            "by one below."
        )
    methods = listing(list(dict.fromkeys(e.method for e in estimates)))
    text = (
        f"Top-1 accuracy in points: mean \\[95% interval\\] under E2 (new seeds and "
        f"new {'classes with their' if drawn else 'test'} items), {size}. Interval: {methods}. "
    )
    tests = list(dict.fromkeys(p.contrast.test for p in table.pairs if p.contrast.p is not None))
    if not tests:
        return text + _no_test(table)
    sizes = span(p.m for p in table.pairs if p.m)
    text += (
        f"Test: {listing(tests)}. Bold: not separable from the best of its column; (a-b): rank "
        f"interval; both from all pairs of a column under Holm"
    )
    own = table.against or table.pairs
    if own[0].family == "column":
        return text + f" (family: column, m = {sizes})."
    return text + f". Family of the contrasts below: {own[0].family}, m = {_m(own)}."


def _two_families(table: Table) -> str:
    """Why the answer may tell two rows apart that the ranks do not, or the other way round."""
    claims = [c for c in table.against or table.pairs if c.m]
    ranked = [c.column for c in table.pairs if (c.contrast.a, c.column) in table.ranks and c.m]
    if not claims or not ranked or table.draws or claims[0].family == "column":
        return ""
    who = "the answer and the contrasts" if table.reference is not None else "the contrasts"
    if claims[0].family == "reference":
        what = f"each row with {escape(table.reference)} (m = {_m(claims)})"
        then = "so they may tell two rows apart whose ranks here overlap"
    else:
        what = f"the pairs of all columns together (m = {_m(claims)})"
        then = "so they may leave two rows undecided whose ranks here do not overlap"
    return (
        f"Bold and rank intervals compare all pairs of a column (m = "
        f"{span(Counter(ranked).values())}); {who} compare {what}, {then}."
    )


def _m(claims: Iterable[Claim]) -> str:
    return span(c.m for c in claims if c.m)


def _done(table: Table) -> list[Entry]:
    return [e for e in table.entries.values() if e.estimate is not None]


def _classes_are_drawn(done: Sequence[Entry]) -> bool:
    return bool(done) and all(e.classes_drawn for e in done)


def _chance(done: Sequence[Entry]) -> str:
    shares = sorted({1 / e.classes for e in done if e.classes})
    return " to ".join(dict.fromkeys(points(s, 1) for s in (shares[0], shares[-1])))


def _seeds(done: Sequence[Entry]) -> str:
    """Rows without anything random have one run and no seed: they do not count as one seed."""
    random = [e for e in done if e.outcomes is not None and e.outcomes.seeds != (None,)]
    if not random:
        return "S = 1 run (nothing is random)"
    text = f"S = {span(e.seeds_done for e in random)} seeds"
    return text if len(random) == len(done) else f"{text} (rows without anything random: one run)"


def _no_test(table: Table) -> str:
    if len(table.rows) < 2:
        return "One row: nothing to compare."
    return (
        f"Descriptive: fewer than {LEAST_SEEDS} seeds, or nothing to compare, so no p, no bold "
        "and no ranks."
    )


def _mark(table: Table, row: str) -> str:
    return " \\*" if any(table.entries[row, c].falling for c in table.columns) else ""


def _shown(table: Table, row: str, label: str, digits: int) -> str:
    columns = table.of_label(label)
    found = table.summary(row, label)
    if found is None:
        return _not_shown([table.entries[row, c] for c in columns])
    mean, low, high = found
    text = points(mean, digits)
    if (row, columns[0]) in table.bold and len(columns) == 1:
        text = f"**{text}**"
    text += f" {span_}" if (span_ := _bracket(interval(low, high, digits))) else ""
    if len(columns) == 1 and (row, columns[0]) in table.ranks:
        first, last = table.ranks[row, columns[0]]
        text += f" ({first})" if first == last else f" ({first}-{last})"
    return text


def _bracket(text: str) -> str:
    """Brackets as text: `[a] (b)` would be a link."""
    return text.replace("[", "\\[").replace("]", "\\]")


def _not_shown(found: Sequence[Entry]) -> str:
    statuses = {e.status for e in found}
    if statuses == {INFEASIBLE}:
        return DASH
    if statuses <= {ABSENT, INFEASIBLE}:
        return DASH if INFEASIBLE in statuses else ""
    done, wanted = sum(e.seeds_done for e in found), sum(e.seeds_wanted for e in found)
    why = "failed" if FAILED in statuses else "missing"
    return f"{why} ({done} of {wanted} done)"


def _figure(task: str, figure: Figure) -> str:
    alt = figure.caption.partition(". ")[0]
    return f"![{escape(alt)}]({task}/{figure.name})\n\n*{escape(figure.caption)}*"


# --- contrasts -------------------------------------------------------------------------------


def _contrast_sections(table: Table) -> list[tuple[str, str]]:
    if table.draws:
        return []  # draw by draw, in their own section
    if table.reference is not None:
        title = f"## Against {escape(table.reference)}"
        return [(title, _contrasts(table, table.against, against=True))]
    if len(table.pairs) <= MOST_PAIRS:
        return [("## All pairs", _contrasts(table, table.pairs, against=False))]
    shown = _with_best(table)
    text = _contrasts(table, shown, against=False)
    text += f"\n\n{len(shown)} of {len(table.pairs)} pairs; all are in the csv of contrasts."
    return [("## Pairs with the best of each column", text)]


def _with_best(table: Table) -> list[Claim]:
    best = {}
    for column in table.columns:
        done = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate)}
        best[column] = max(done, key=lambda r: done[r]) if done else ""
    return [c for c in table.pairs if best[c.column] in (c.contrast.a, c.contrast.b)]


def _contrasts(table: Table, claims: Sequence[Claim], *, against: bool) -> str:
    if not claims:
        return "No two rows can be compared yet." if len(table.rows) > 1 else ""
    digits = digits_of(claims)
    rows = []
    for claim in claims:
        c = claim.contrast
        name = escape(c.a) if against else f"{escape(c.a)} minus {escape(c.b)}"
        gap = f"{points(c.difference, digits, sign=True)} "
        gap += _bracket(interval(c.low, c.high, digits, sign=True))
        rows.append(
            [
                escape(claim.column),
                name,
                gap.strip(),
                probability(c.p) or "descriptive",
                probability(c.p_adjusted),
                detectable(c.smallest_detectable, digits),
                _shares(c.share_seeds),
                str(c.seeds),
            ]
        )
    header = ["Column", "Row", "Difference \\[95% interval\\]", "p", "Adjusted p",
              "Smallest detectable", "Seeds / items", "S"]  # fmt: skip
    text = pipe_table(header, rows, left=2)
    sizes = span(c.m for c in claims if c.m)
    families = listing(list(dict.fromkeys(c.family for c in claims)))
    of = f"row minus {escape(table.reference)}" if against else "first minus second"
    adjusted = (
        f"p adjusted by Holm in the family '{families}' (m = {sizes}). Intervals are not "
        "adjusted: one may leave out 0 where adjusted p is above 0.05."
        if any(c.m for c in claims)
        else f"Descriptive: a p needs {LEAST_SEEDS} seeds."
    )
    text += (
        f"\n\nDifferences in points, {of}. {adjusted} Seeds / items: parts of the variance of the "
        "difference that more seeds, or only more test items, would take away."
    )
    remarks = dict.fromkeys(
        f"{escape(c.contrast.a)} minus {escape(c.contrast.b)}, {escape(c.column)}: "
        f"{escape(c.contrast.note)}"
        for c in claims
        if c.contrast.note and c.contrast.note != "descriptive"
    )
    return text + ("\n\n" + "\n".join(f"- {r}" for r in remarks) if remarks else "")


def _shares(seeds: float | None) -> str:
    return "" if seeds is None else f"{percent(seeds)} / {percent(1 - seeds)}"


def _draws(table: Table) -> str:
    if not table.draws:
        return ""
    seeds = sorted({c.draw for c in table.columns if c.draw is not None})
    claims = [
        Claim(c, Column(d.label), "reference", 0) for d in table.draws for c in d.contrasts.values()
    ]
    digits = digits_of(claims)
    rows = []
    for d in table.draws:
        line = [escape(d.label), f"{escape(d.a)} minus {escape(d.b)}"]
        for seed in seeds:
            c = d.contrasts.get(seed)
            if c is None:
                line.append("missing")
                continue
            star = "\\*" if c.p_adjusted is not None and c.p_adjusted < 0.05 else ""
            line.append(points(c.difference, digits, sign=True) + star)
        line += [f"{d.same_sign} of {len(d.contrasts)}", f"{d.significant} of {len(d.contrasts)}"]
        t = d.over_draws.t if d.over_draws is not None else None
        if d.over_draws is None or t is None:
            line += ["missing" if len(d.contrasts) < d.planned else "descriptive", ""]
        else:
            bounds = _bracket(interval(t.low, t.high, digits, sign=True))
            line += [f"{points(d.over_draws.mean, digits, sign=True)} {bounds}", probability(t.p)]
        rows.append(line)
    header = ["Column", "Row", *(f"Draw {s}" for s in seeds), "Same sign", "p < 0.05",
              "Mean over draws \\[95% interval\\]", "p over draws"]  # fmt: skip
    return (
        pipe_table(header, rows, left=2)
        + "\n\nDifferences in points. \\* adjusted p < 0.05 within the draw (Holm; family: the "
        "rows against the reference in one column). Over draws: the corrected t test of Nadeau "
        "and Bengio, with the part of the classes that two draws share on average as their "
        "overlap; not given for fewer than 4 draws, and not adjusted for the number of rows."
    )


# --- the rest --------------------------------------------------------------------------------


def _measures(table: Table) -> str:
    digits = table_digits(table)
    rows, seen = [], [m for m in MEASURES if any(m in e.measures for e in table.entries.values())]
    if len(seen) < 2:
        return ""
    for column in table.columns:
        for row in table.rows:
            entry = table.entries[row, column]
            if entry.status != DONE:
                continue
            values = [_measure(entry, name, digits) for name in seen]
            rows.append([escape(column), escape(row), *values])
    header = ["Column", "Row", *(MEASURES[m][0] for m in seen)]
    return (
        pipe_table(header, rows, left=2)
        + "\n\nMeans over seeds; accuracies and the expected calibration error (ECE) in points, "
        "the negative log likelihood (NLL) in nats."
    )


def _measure(entry: Entry, name: str, digits: int) -> str:
    value = entry.measures.get(name)
    if value is None:
        return ""
    return points(value, digits) if MEASURES[name][1] else f"{value:.3f}"


def _published(numbers: Sequence[Published]) -> str:
    if not numbers:
        return ""
    parts = [
        "Imported from print, not measured here: other data, encoders and budgets. They enter no "
        "test and no ranking of this page."
    ]
    for key in dict.fromkeys((n.table, n.source) for n in numbers):
        block = [n for n in numbers if (n.table, n.source) == key]
        columns = list(dict.fromkeys(n.column for n in block))
        values = {(n.row, n.column): n.value for n in block}
        rows = [
            [f"{escape(row)} (imported)"]
            + [_printed(values.get((row, c)), values, c) for c in columns]
            for row in dict.fromkeys(n.row for n in block)
        ]
        first = block[0]
        parts += [
            f"**{escape(first.title)}.** {escape(first.table)} of {escape(first.source)}. "
            f"{escape(first.protocol)}. Known deviation: {escape(first.deviation)}",
            pipe_table(["Row", *map(escape, columns)], rows),
        ]
    return "\n\n".join(parts)


def _printed(value: float | None, values: Mapping[tuple[str, str], float], column: str) -> str:
    """With the decimals of its column: 59.30 beside 81.52."""
    if value is None:
        return DASH
    texts = [repr(v).removesuffix(".0") for (_, c), v in values.items() if c == column]
    return f"{value:.{max(len(t.partition('.')[2]) for t in texts)}f}"


def _missing(table: Table) -> str:
    lines = []
    for status, words in _NOT_THERE.items():
        for (row, column), entry in table.entries.items():
            if entry.status != status:
                continue
            text = f"- {escape(row)}, {escape(column)}: {words}"
            if status != INFEASIBLE:
                text += f" ({entry.seeds_done} of {entry.seeds_wanted} seeds done)"
            if entry.reasons:
                text += f": {'; '.join(map(escape, entry.reasons))}"
            lines.append(text)
    if any(e.status == ABSENT for e in table.entries.values()):
        lines.append("- Empty entries are not part of the grid.")
    lines += [f"- {escape(note)}" for note in table.notes]
    return _joined(lines) or "Nothing."


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(lines))
