"""How to read a report, for those who read their first."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.estimand import NEW_CLASSES, THESE_CLASSES, THESE_ITEMS
from harness.stats.moderated import LEAST_PAIRS

_NEW = {
    NEW_CLASSES: "new classes of the same kind, drawn with their items (estimand E2)",
    THESE_CLASSES: "new test items of the same kind and classes (estimand E2)",
    THESE_ITEMS: "the same test items (estimand E1)",
}
_DRAWN = """
  All items of a class are in one group here, which counts as one draw: nothing is said about these
  classes alone (report.estimand: these_classes would be)."""
_RANKS = """\
- **Bold.** All rows that are not significantly worse than the row with the highest mean of their
  column. That does not show them to be equal.
- **(1-3).** The rank interval: the ranks that the row may have, given which differences among all
  pairs of its column are significant."""
_MARKS = """\
- **\u2191, \u2193.** The row is significantly above or below the reference, by the adjusted p. Two
  other rows are not compared, so there is no bold and there are no ranks."""
_GLOSSARY = """\
- **Mean [95% interval].** The mean over seeds and test items. The interval is for new seeds and
  {new}.{groups}
{shown}
- **Two-way random effects.** Seeds and test items are both random. A difference is significant only
  if it is large compared with the variation over both. Items that belong together form a group,
  which counts as one draw.
- **Adjusted p.** The p-value after Holm's correction for the m comparisons of the family. A
  difference is called significant if it is at most 0.05. Intervals are not adjusted, so one may
  exclude 0 although the adjusted p is larger.
- **Smallest detectable.** The true difference that this comparison would detect with 80% power at
  the level of its family. A difference that is not significant may still be this large.
- **Seeds / items.** The share of the variance of a difference that more seeds would remove, and the
  share that only more test items would remove.
- **Descriptive.** Fewer than 5 seeds: means and intervals are shown, but no p, no bold and no rank.
- **missing.** Some seeds are missing or failed; the column then has no bold and no ranks.
- **\u2013** The combination is infeasible; the reason is listed under 'What is missing'."""

_MARGIN = """
- **Equivalent within the margin.** Two one-sided tests reject that the difference is as large as
  the margin, either way; their p is adjusted in the same family, so that any false 'equivalent'
  among its pairs has a chance of at most 5%. An undecided pair is neither different nor equivalent:
  its data are too few for both."""


_MEANS = """
- **Mean over data sets.** 'These data sets' are a fixed benchmark: the interval is for new seeds
  and new test items of the same data sets. 'New data sets': the data sets are the sample, one value
  of each counts, and the interval is for other data sets of their kind. The second question needs
  more data sets, not more seeds. Where classes are drawn several times, each draw counts as one.
- **Exact Wilcoxon.** The signed-rank test of one difference for each data set. With n data sets its
  smallest p is 2/2^n, so few data sets, or many rows, have none."""


_SHARED = f"""
- **Shared variance of seeds.** Few seeds say little about their own spread, and one that is small
  by chance makes a large t. Where at least {LEAST_PAIRS} pairs of a column have the same seeds and
  items they share it: a variance of seeds below what these pairs have in common is moved towards
  that, and none is lowered. The p of a pair therefore depends on the other rows of its column."""


def glossary(
    *,
    estimands: Sequence[str],
    margin: bool = False,
    means: bool = False,
    marks: bool = False,
    shared: bool = False,
) -> str:
    """What the terms of a report mean. `estimands`: of its entries; `margin`: whether the task has
    a margin of equivalence; `means`: whether it has means over data sets; `marks`: whether rows are
    marked against a reference, in place of bold and ranks; `shared`: whether pairs share the
    variance of seeds.
    """
    new = ", or ".join(text for name, text in _NEW.items() if name in estimands)
    groups = _DRAWN if list(estimands) == [NEW_CLASSES] else ""
    shown = _MARKS if marks else _RANKS
    text = _GLOSSARY.format(new=new or _NEW[THESE_CLASSES], groups=groups, shown=shown)
    more = ((_SHARED, shared), (_MARGIN, margin), (_MEANS, means))
    return text + "".join(part for part, has in more if has)
