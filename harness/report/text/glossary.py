"""How to read a report, for those who read their first."""

_NEW_ITEMS = "new test items of the same kind"
_NEW_CLASSES = "new classes of the same kind, drawn with their items"
_ONE_GROUP = """
  Every class is one group here (G = C): nothing is said of these classes alone."""
_GLOSSARY = """\
- **Mean [95% interval].** The mean over seeds and test items. The interval says where the mean
  would lie with new seeds and {new} (estimand E2).{groups}
- **Bold.** Every row that could not be separated from the row with the highest mean. It does not
  say that these rows are equal.
- **(1-3).** The rank interval: ranks that the row may have, given which comparisons of all pairs
  of its column came out significant.
- **Two-way random effects.** Seeds and test items are both drawn at random; a difference counts
  only if it stands out against the variation of both. Items that belong together form a group and
  count as one draw.
- **Adjusted p.** p after Holm's correction for the m comparisons of the family. At most 0.05 is
  called significant. Intervals are not adjusted, so one may leave out 0 where adjusted p is larger.
- **Smallest detectable.** The true difference that this comparison would have found with 80% power
  at the level of its family. A difference that is not significant may still be as large.
- **Seeds / items.** Which part of the variance of a difference more seeds would take away, and
  which part only more test items would.
- **Descriptive.** Fewer than 5 seeds: means and intervals are shown, but no p, no bold and no rank.
- **missing.** Some seeds are not done or failed; the column then has no bold and no ranks.
- **\u2013** The combination is not feasible; the reason stands under 'What is missing'."""


def glossary(*, classes_drawn: bool) -> str:
    """What the words of a report mean; E2 draws classes where every group is one class."""
    if classes_drawn:
        return _GLOSSARY.format(new=_NEW_CLASSES, groups=_ONE_GROUP)
    return _GLOSSARY.format(new=_NEW_ITEMS, groups="")
