"""What carries the gain of text over random rows, in words."""

from __future__ import annotations

from harness.core.words import plural
from harness.report.model.controls import (
    ALIGNMENT,
    GAIN,
    GEOMETRY,
    GEOMETRY_MATCHED,
    SEMANTICS,
    Controls,
    Part,
)
from harness.report.model.labels import Column
from harness.report.text.numbers import equals, margin_points, points
from harness.report.text.prose import escape, in_column
from harness.stats import equivalence
from harness.stats.equivalence import BOTH, EQUIVALENT, UNDECIDED
from harness.stats.holm import ALPHA

#: What every part is the difference of, for the caption.
_MEANING = {
    ALIGNMENT: "Alignment with the image space: text minus the same rows under a random rotation "
    "(text_rotated), which keeps the correlations between classes.",
    GEOMETRY: "Geometry: text_rotated minus random rows, what the correlations are worth alone.",
    SEMANTICS: "Class semantics: text minus the same rows at wrong classes (text_shuffled), which "
    "keeps the set of rows. A wrong row may also do harm, so that this can be more than the whole "
    "gain.",
    GEOMETRY_MATCHED: "Geometry on the random draw: gram_matched, which is random rows with the "
    "correlations of the text, minus random rows.",
}


def verdict(part: Part, margin: float | None) -> str:
    """The verdict on a part: whether it adds to the accuracy."""
    c = part.contrast
    if c is None:
        return "missing"
    if c.p_adjusted is None:
        return "descriptive"
    found = equivalence.verdict(c)
    within = f"within {margin_points(margin)} points" if margin is not None else ""
    if found == EQUIVALENT:
        return f"equivalent to 0 {within}"
    if c.p_adjusted > ALPHA:
        return UNDECIDED
    verb = "adds" if c.difference > 0 else "costs"
    return f"{verb}, but {within}" if found == BOTH else verb


def controls_sentences(found: Controls, margin: float | None, digits: int) -> list[str]:
    """One sentence for every column: what the gain is, and which parts are shown to carry it."""
    columns = dict.fromkeys(part.column for part in found.parts)
    return [
        sentence
        for column in columns
        if (sentence := _sentence([p for p in found.parts if p.column == column], margin, digits))
    ]


def _sentence(parts: list[Part], margin: float | None, digits: int) -> str:
    """Nothing where a part is there twice, as with two prompts: the table has them."""
    if len({part.name for part in parts}) < len(parts):
        return ""
    of = {part.name: part for part in parts}
    gain = of.pop(GAIN, None)
    where = _where(parts[0].column)
    clauses = [f"{part.name} {_said(part, margin, digits)}" for part in of.values()]
    if gain is None:
        return f"{where}: {'; '.join(clauses)}."
    first = f"{where}, the gain of text over random rows {_said(gain, margin, digits)}"
    return f"{first}. {_first_upper('; '.join(clauses))}." if clauses else f"{first}."


def _where(column: Column) -> str:
    return _first_upper(in_column(escape(str(column)))) or "Overall"


def _said(part: Part, margin: float | None, digits: int) -> str:
    c, words = part.contrast, verdict(part, margin)
    if c is None:
        return "is missing"
    gap = points(abs(c.difference), digits)
    signed = points(c.difference, digits, sign=True)
    if c.p_adjusted is None:
        return f"is {signed} points (descriptive)"
    p = f"adjusted p {equals(c.p_adjusted)}"
    for verb in ("adds", "costs"):
        if words.startswith(verb):
            return f"{'is' if part.name == GAIN else verb} {_size(part, gap, signed)} points ({p})"
    if words.startswith("equivalent") and c.p_equivalent is not None:
        p = f"adjusted equivalence p {equals(c.p_equivalent)}"
    return f"is {words} ({signed}, {p})"


def _size(part: Part, gap: str, signed: str) -> str:
    return signed if part.name == GAIN else gap


def _first_upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def below_controls(found: Controls) -> str:
    """What the table shows: the rows, the parts and the family."""
    names = {part.name for part in found.parts}
    text = (
        "Differences in points with 95% intervals, between rows that differ in the classifier "
        "alone. "
    )
    tested = [p for p in found.parts if p.contrast is not None and p.contrast.p is not None]
    if not tested:
        text += "Descriptive: too few seeds for a p-value. "
    elif found.m:
        text += (
            "A pair that the family of the page has keeps its adjusted p; the other "
            f"{plural(found.m, 'difference')} of this section, in all columns, are a family of "
            "their own (Holm's correction). "
        )
    else:
        text += "Every pair has its adjusted p in the family of the page. "
    if {GAIN, ALIGNMENT, GEOMETRY} <= names:
        text += f"The gain is the sum of two parts, {ALIGNMENT} and {GEOMETRY}. "
    return text + " ".join(said for name, said in _MEANING.items() if name in names)
