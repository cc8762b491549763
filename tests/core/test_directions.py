"""Rows without a direction in float32: exactly those that torch cannot normalise."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.directions import NOT_FINITE, TOO_LARGE, TOO_SMALL, ZERO, without_direction


def fault(value: float, dtype: type = np.float64) -> str | None:
    """What is wrong with row 2 of three whose numbers are `value`."""
    x_NF = np.ones((3, 4), dtype)
    x_NF[2] = value
    found = without_direction(x_NF)
    if found is None:
        return None
    assert found[0].tolist() == [2]
    return found[1]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.nan, NOT_FINITE), (np.inf, NOT_FINITE), (-np.inf, NOT_FINITE), (1e30, TOO_LARGE),
        (-1e30, TOO_LARGE), (1e300, TOO_LARGE), (1e19, TOO_LARGE), (9e18, None), (1e-30, TOO_SMALL),
        (1e-300, TOO_SMALL), (4e-13, TOO_SMALL), (6e-13, None), (0.0, ZERO), (-0.0, ZERO),
    ],
)  # fmt: skip
def test_a_row_of(value: float, what: str | None) -> None:
    assert fault(value) == what


@pytest.mark.parametrize("value", [9e18, 1e19, 4e-13, 6e-13, 1e-3, 65504.0])
def test_what_is_accepted_is_what_torch_normalises(value: float) -> None:
    import torch
    from torch.nn import functional as F

    z_ND = F.normalize(torch.full((1, 4), value, dtype=torch.float32), dim=-1)
    unit = bool(torch.isclose(z_ND.norm(), torch.tensor(1.0)))
    assert (fault(value, np.float32) is None) == unit


def test_half_precision_and_many_rows() -> None:
    x_NF = np.ones((20_000, 2), np.float16)
    assert without_direction(x_NF) is None
    x_NF[[9_000, 19_999]] = 0
    found = without_direction(x_NF)
    assert found is not None
    assert (found[0].tolist(), found[1]) == ([9_000, 19_999], ZERO)


def test_zeros_are_right_where_a_bias_follows() -> None:
    rows = np.zeros((2, 3), dtype=np.float32)
    assert without_direction(rows, zero_is_wrong=False) is None
    assert without_direction(rows) is not None
