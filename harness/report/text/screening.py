"""Screens in words: what was measured, how it agrees with the outcome, and what that is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.screen_overlap import (
    common,
    common_part,
    shared_outcomes,
    text_versions,
)
from harness.report.model.screening import Agreement, Screening, best_screens
from harness.report.text.numbers import points
from harness.report.text.prose import escape, listing
from harness.stats.rank_correlation import DRAWS, FEWEST, FEWEST_FOR_INTERVAL, RankCorrelation


def coefficient(r: RankCorrelation) -> str:
    """`0.83 [0.61, 0.94]`, without brackets where there is no interval."""
    if r.low is None or r.high is None:
        return f"{r.mean:.2f}"
    return f"{r.mean:.2f} \\[{r.low:.2f}, {r.high:.2f}\\]"


def value_text(value: float | None, unit: str) -> str:
    """A value of a screen: points for a fraction."""
    if value is None:
        return ""
    return points(value, 1) if unit == "fraction" else f"{round(value, 3) + 0.0:.3f}"


def what_was_measured(study: Screening) -> str:
    """On which samples, and which rows have nothing or are made of them."""
    measured = [c for c in study.candidates if c.samples]
    kinds = listing(sorted({c.samples for c in measured}))
    text = (
        f"Measured before training, on the {kinds} set and never on the test set; means over seeds."
    )
    if "fraction" in study.units.values():
        text += " Accuracies are in points."
    own = list(dict.fromkeys(escape(c.row) for c in study.candidates if c.own))
    if own:
        text += (
            f" \\* made of the samples that it is measured on ({listing(own)}): its values are too "
            "high, and it is not in the rank correlations."
        )
    reasons = Counter(c.why for c in study.candidates if c.why)
    for why, n in reasons.items():
        text += f" Without values: {plural(n, 'row')} of a column, as {escape(why)}."
    return text


def how_it_agrees() -> str:
    """The caption of the table of rank correlations."""
    return (
        "Rank correlation of a measure with the top-1 accuracy after training, over the rows of a "
        f"column (means over seeds; columns of {FEWEST} rows or more), and the mean over columns. "
        f"Interval: 95%, percentile bootstrap over rows ({DRAWS:,} draws), from "
        f"{FEWEST_FOR_INTERVAL} rows on; of six rows it is too short where rho is near 1. "
        "It is about other rows like these in these columns, not about other data. Regret: the "
        "points that are lost, in the mean over columns, by training the row that the measure "
        "ranks first instead of the best of these rows. Verdict: that a measure orders rows as "
        "training does means that the whole interval of rho is above 0, so that its order is "
        "better than chance; it need not be the same order. The other way: it is below 0. "
        "Undecided: 0 is inside."
    )


def what_is_shared(studies: Sequence[Screening]) -> str:
    """What studies have in common that should stand for others: data, outcomes and matrices."""
    data = [
        f"{noun} {escape(value)}"
        for noun, value in (
            ("data set", common(studies, "dataset")),
            ("encoder", common(studies, "encoder")),
            ("classes of part", common_part(studies)),
        )
        if value is not None
    ]
    parts = []
    if data:
        parts.append(
            f"All studies share {listing(data)}: none of them is evidence about other data."
        )
    pairs = shared_outcomes(studies)
    said = [f"{n} in {escape(a)} and {escape(b)}" for (a, b), n in pairs.items()]
    parts.append(
        f"They also share outcomes, those of the same cells: {listing(said)}."
        if said
        else "No two studies share an outcome."
    )
    return " ".join([*parts, *(s for study in studies if (s := graded_rows(study)))])


def graded_rows(study: Screening) -> str:
    """That rows are degrees of damage to one matrix; nothing for a study without such rows."""
    found = text_versions(study)
    if not found.graded:
        return ""
    return (
        f"Of the {found.rows} rows of {escape(study.task.name)} that are compared, "
        f"{found.versions} are the matrix of the texts or changed versions of it, "
        f"{found.graded} of them in levels ({listing([escape(name) for name in found.of])}): to "
        "order levels of damage to one matrix is easier than to order unrelated matrices."
    )


def order_of_rows(study: Screening, by: str) -> str:
    """Which measure the rows are in the order of, where it is not the one that agrees best."""
    best = best_screens([study])
    if not best or by in best:
        return ""
    return (
        f"In the order of {_inside(study.titles[by])} (`--by {by}`), and not of "
        f"{listing([_inside(study.titles[name]) for name in best])}, which "
        f"{'agrees' if len(best) == 1 else 'agree'} best with the outcomes of this study."
    )


def _inside(title: str) -> str:
    """A title within a sentence; an abbreviation keeps its capitals."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def answer(study: Screening) -> str:
    """Which screen agrees best with the outcome, in a sentence."""
    names = best_screens([study])
    if not names:
        return "Too few rows have an outcome: the rows are ranked, and no measure is judged."
    found = [study.agreement[name] for name in names]
    worth = list(dict.fromkeys(f"{coefficient(f.spearman)}, {verdict(f)}" for f in found))
    first, *others = (study.titles[name] for name in names)
    who = listing([first, *map(_inside, others)])
    verb = "share" if others else "has"
    return (
        f"{who} {verb} the highest rank correlation with the accuracy after training (Spearman's "
        f"rho {'; '.join(worth)})."
    )


def held_out_answer(studies: Sequence[Screening], chosen: str) -> str:
    """What the chosen screen is worth on studies that had no part in the choice, in a sentence."""
    worth = [
        f"{coefficient(found.spearman)} on {escape(study.task.name)} ({verdict(found)})"
        for study in studies
        if (found := study.agreement.get(chosen)) is not None
    ]
    title = studies[0].titles[chosen]
    return f"{title}, chosen on other studies, has Spearman's rho {listing(worth)}."


def verdict(found: Agreement) -> str:
    """Whether the order is shown to be better than chance."""
    low, high = found.spearman.low, found.spearman.high
    if low is None or high is None:
        return "too few rows for an interval"
    if low > 0:
        return "orders rows as training does"
    return "orders rows the other way" if high < 0 else "undecided"


def chosen_sentence(
    chosen: str, studies: Sequence[Screening], held_out: Sequence[Screening]
) -> str:
    """Which screen was chosen on which studies."""
    titles, equal = studies[0].titles, [n for n in best_screens(studies) if n != chosen]
    names, others = ([escape(s.task.name) for s in of] for of in (studies, held_out))
    tie = (
        f" {listing([titles[name] for name in equal])} {'is' if len(equal) == 1 else 'are'} equal "
        "there; the first in the order of the measures was chosen."
        if equal
        else ""
    )
    return (
        f"Of the measures, {_inside(titles[chosen])} (`{chosen}`) has the highest Spearman "
        f"correlation on {listing(names)}, where it was chosen.{tie} What it is worth on "
        f"{listing(others)}, which had no part in the choice, is below; the other measures are "
        "shown beside it and were not chosen."
    )
