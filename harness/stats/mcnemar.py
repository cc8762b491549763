"""McNemar's test: two deterministic methods on one test set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class McNemar:
    """`b` items only the first method has right, `c` only the second, of `n`. Fractions."""

    b: int
    c: int
    n: int
    difference: float
    standard_error: float
    low: float
    high: float
    p: float


def mcnemar(b: int, c: int, n: int, *, confidence: float = 0.95) -> McNemar:
    """Exact two-sided McNemar test, with the interval of Bonett and Price for the difference.

    Under equal methods b is binomial(b + c, 1/2) (McNemar, Psychometrika 1947); without any
    discordant item p is 1. The interval adds one item to b and one to c (Bonett and Price,
    Statistics in Medicine 2012; recommended by Fagerland, Lydersen and Laake 2014), so it keeps
    a width where the methods agree on every item. It is not made from p: close to 0.05 the two
    may disagree. When items are grouped use `clustered_t` on the item differences instead.

    Raises ValueError if the counts do not fit into `n` items.
    """
    if min(b, c) < 0 or n < 1 or b + c > n:
        raise ValueError(f"{b} + {c} discordant items do not fit into {n}")
    from scipy.special import bdtr, ndtri

    z = float(ndtri((1 + confidence) / 2))
    p_b, p_c = (b + 1) / (n + 2), (c + 1) / (n + 2)
    error = ((p_b + p_c - (p_b - p_c) ** 2) / (n + 2)) ** 0.5
    return McNemar(
        b=b,
        c=c,
        n=n,
        difference=(b - c) / n,
        standard_error=error,
        low=max(-1.0, p_b - p_c - z * error),
        high=min(1.0, p_b - p_c + z * error),
        p=min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5))),
    )
