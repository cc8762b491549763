"""What `compare` prints: a line for each comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.compare import Comparison
from harness.report.text.counts import counted
from harness.report.text.numbers import equals, interval, points
from harness.report.text.precision import contrast_digits
from harness.stats.holm import ALPHA


def compared_text(found: Sequence[Comparison]) -> str:
    """The two sides, every comparison with its test and verdict, and what was adjusted."""
    digits = contrast_digits(c.contrast for c in found)
    first = found[0].contrast
    lines = [f"a: {first.a}", f"b: {first.b}", "a minus b, top-1 in points:"]
    for c in found:
        lines += _lines(c, digits)
    m = found[0].m
    if m:
        lines.append(
            f"Verdicts: adjusted p at most {ALPHA}, with Holm's correction over "
            f"{plural(m, 'comparison')}."
        )
    if len(found) > 1:
        counts = Counter(c.verdict for c in found)
        lines.append("; ".join(f"{verdict}: {n}" for verdict, n in counts.items()) + ".")
    return "\n".join(lines)


def _lines(c: Comparison, digits: int) -> list[str]:
    x = c.contrast
    bounds = interval(x.low, x.high, digits, sign=True)
    gap = f"{points(x.difference, digits, sign=True)} {bounds}".strip()
    means = f"{points(c.mean_a, digits)} against {points(c.mean_b, digits)}"
    p = "" if x.p_adjusted is None or x.p is None else (
        f", p {equals(x.p)}, adjusted {equals(x.p_adjusted)}")  # fmt: skip
    run = x.seeds == 1 and x.share_seeds == 0
    size = [] if not x.seeds else ["nothing is random"] if run else [plural(x.seeds, "seed")]
    size += [] if c.over is None else [c.over]
    size += [counted([x.items], "item")] if x.items else []
    size += [counted([x.groups], "group")] if x.groups not in (0, x.items) else []
    test = "" if x.test == "none" else f"{x.test}; "
    note = "" if x.note in ("", "descriptive") else f"; {x.note}"
    if x.level < ALPHA:
        note += f"; sequential rule: p counts its looks, the interval is {100 * (1 - x.level):.4g}%"
    return [
        f"  {c.where}: {gap} ({means}): {c.verdict}",
        f"    {test}estimand {x.estimand}; {', '.join(size)}{p}{note}",
    ]
