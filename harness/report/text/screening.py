"""Screens in words: what was measured, how it agrees with the outcome, and what that is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.screening import Agreement, Screening, best_screen
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
        "ranks first instead of the best of these rows."
    )


def answer(study: Screening) -> str:
    """Which screen agrees best with the outcome, in a sentence."""
    name = best_screen([study])
    if name is None:
        return "Too few rows have an outcome: the rows are ranked, and no measure is judged."
    found = study.agreement[name]
    return (
        f"{study.titles[name]} has the highest rank correlation with the accuracy after training "
        f"(Spearman's rho {coefficient(found.spearman)}, {verdict(found)})."
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
    chosen: str, title: str, studies: Sequence[str], held_out: Sequence[str]
) -> str:
    """Which screen was chosen on which studies."""
    return (
        f"Of the measures, {title.lower()} (`{chosen}`) has the highest Spearman correlation on "
        f"{listing([escape(s) for s in studies])}, where it was chosen. What it is worth on "
        f"{listing([escape(s) for s in held_out])}, which had no part in the choice, is below; the "
        "other measures are shown beside it and were not chosen."
    )
