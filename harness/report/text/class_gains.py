"""The changes of single classes in words."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.words import plural
from harness.report.model.class_gains import MOST_CLASSES, Change, ColumnGains
from harness.report.text.numbers import points, span
from harness.report.text.prose import escape, in_column, listing


def changes(found: Iterable[Change]) -> str:
    """`violin +40.0, red apple +20.0`; of confusions `violin → trumpet +15.0`."""
    return ", ".join(
        f"{escape(c.true)}{f' → {escape(c.predicted)}' if c.predicted else ''} "
        f"{points(c.difference, 1, sign=True)}"
        for c in found
    )


def below_gains(found: ColumnGains) -> str:
    """What the two tables are, and what they are not."""
    where = f" {in_column(escape(found.column))}".rstrip()
    text = (
        f"Every row minus {escape(found.base)}{where}; means over seeds, in points of the accuracy "
        "on a class, and of the items of the true class that are taken for the predicted one. At "
        f"most {MOST_CLASSES} on either side. A class has {_items(found)}. "
        "Descriptive: no class is tested, and the extremes of many classes are partly chance. They "
        "say where to look, and not that a class gains."
    )
    if found.left_out:
        text += (
            " Not shown, as their means are nearer to that of "
            f"{escape(found.base)}: {listing([escape(row) for row in found.left_out])}."
        )
    return text


def _items(found: ColumnGains) -> str:
    fewest, most = found.items
    return plural(most, "test item") if fewest == most else f"{span(found.items)} test items"


def gains_caption(found: ColumnGains, shown: Iterable[str]) -> str:
    """Of the figure; `shown` are its rows."""
    where = f" {in_column(str(found.column))}".rstrip()
    text = (
        f"Differences in accuracy from {found.base} class by class{where}, means over seeds, each "
        "row with its own order of classes. Blue: higher, orange: lower. Descriptive: no class is "
        "tested."
    )
    left_out = [g.row for g in found.rows if g.row not in set(shown)]
    return f"{text} Not shown for lack of space: {listing(left_out)}." if left_out else text
