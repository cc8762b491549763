"""The variance of a mean over seeds and items, from its parts (see core.outcomes.Spread)."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.outcomes import Part, Spread

#: Parts smaller than this of the largest are rounding, not variance.
ROUNDING = 1e-12


def combined(s: Spread) -> Part:
    """The variance of the mean: seeds + groups - residual, and what is known.

    Where that is not positive, the larger of the first two. Degrees of freedom after Satterthwaite
    (Biometrics Bulletin 1946), at least 1.
    """
    a, b, e = s.seeds, total(s.groups), total(s.residual)
    v = a.variance + b.variance - e.variance
    largest = max(a.variance, b.variance, e.variance)
    if v > ROUNDING * largest:
        part = Part(v, _satterthwaite(v, [a, *s.groups, *s.residual]))
    else:
        part = max(a, b, key=lambda p: (p.variance, p.df))
        # A Latin square has neither seed nor group effects; its scatter must not count as none.
        part = part if part.variance > ROUNDING * largest else e
    return with_known(part, s.known)


def share_of_seeds(s: Spread) -> float | None:
    """Part of the variance that more seeds would take away; None without any."""
    v = combined(s).variance
    items = max(0.0, total(s.groups).variance - total(s.residual).variance) + s.known
    return None if v == 0 else max(0.0, 1 - items / v)


def scaled(s: Spread, factor: float) -> Spread:
    """Of a mean that is multiplied by the root of `factor`."""

    def of(part: Part) -> Part:
        return Part(part.variance * factor, part.df)

    groups, residual = (tuple(of(p) for p in parts) for parts in (s.groups, s.residual))
    return Spread(of(s.seeds), groups, residual, s.known * factor)


def total(parts: Iterable[Part]) -> Part:
    """The sum of independent parts."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    v = sum(p.variance for p in parts)
    return Part(v, _satterthwaite(v, parts))


def with_known(part: Part, known: float) -> Part:
    """With a variance that is known and so has no degrees of freedom to lose."""
    if known == 0:
        return part
    v = part.variance + known
    infinite = Part(known, float("inf"))
    return Part(v, part.df * (v / part.variance) ** 2) if part.variance > 0 else infinite


def _satterthwaite(v: float, parts: Iterable[Part]) -> float:
    parts = list(parts)
    spread = sum(p.variance**2 / p.df for p in parts)
    return max(1.0, v**2 / spread) if spread > 0 else sum(p.df for p in parts)
