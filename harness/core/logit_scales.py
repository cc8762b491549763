"""A logit scale that is given as its logarithm, or as a temperature.

The factor on the cosines is wanted: 100 for a trained CLIP. CLIP stores its natural logarithm, a
parameter that begins at ln(1/0.07) = 2.6593 and is cut at ln 100 = 4.6052; others speak of the
temperature, 1/100 or 0.07. A factor of a few units is rare but legal, so only what is plainly the
other quantity is refused.
"""

from __future__ import annotations

import math

#: Numbers that are nearer to one of these than the second value are this logarithm.
_LOGARITHMS = (
    (math.log(100), 0.005, "the logarithm of 100", "100"),
    (math.log(1 / 0.07), 0.0095, "the logarithm of 1/0.07", "14.2857"),
)
#: CLIP's temperature before training. 0.01, after training, is also a value of a search over powers
#: of ten, so it is a temperature in files only.
_TEMPERATURES = ((0.07, "14.2857"), (0.01, "100"))
#: Trained parameters: from a little under CLIP's start to a little above SigLIP's 4.77.
_TRAINED = (math.log(14), math.log(130))


def not_a_factor(value: float) -> str | None:
    """What a logit scale that a person wrote is instead, as 'is the logarithm of 100, ...'; None if
    it may be the factor.
    """
    for logarithm, nearness, name, factor in _LOGARITHMS:
        if abs(value - logarithm) < nearness:
            return f"is {name}, and the factor itself is wanted: write {factor}"
    temperature, factor = _TEMPERATURES[0]
    if math.isclose(value, temperature, rel_tol=1e-6):
        return _is_temperature(factor)
    return None


def checked_factor(value: float) -> float:
    """The value, for pydantic. Raises ValueError for what is no factor."""
    problem = not_a_factor(value)
    if problem is not None:
        raise ValueError(f"it {problem}")
    return value


def not_a_stored_factor(value: float) -> str | None:
    """The same for a number that a program stored. It is a parameter of a model, with all digits,
    where its exponential is a scale that models are trained to; a number of two decimals is not.
    """
    problem = not_a_factor(value)
    if problem is not None:
        return problem
    for temperature, factor in _TEMPERATURES:
        if math.isclose(value, temperature, rel_tol=1e-6):
            return _is_temperature(factor)
    has_all_digits = not math.isclose(value, round(value, 2), rel_tol=1e-6)
    if _TRAINED[0] < value < _TRAINED[1] and has_all_digits:
        return (
            "looks like a logarithm, as CLIP stores it, and the factor itself is wanted: "
            f"write its exponential, {math.exp(value):.4g} (or {value:.2f} if that is the "
            "factor)"
        )
    return None


def _is_temperature(factor: str) -> str:
    return f"is a temperature, and its inverse is wanted: write {factor}"
