"""Sums and means of classes, and the rows that SS-Text makes of them."""

from __future__ import annotations

import pytest
import torch

from harness.core.class_means import (
    class_directions,
    class_sums,
    refuse_empty_classes,
    text_plus_support,
)
from harness.core.errors import CellError

Z_ND = torch.tensor([[3.0, 0], [0, 2], [5, 0], [0, -7]], dtype=torch.float64)
Y_N = torch.tensor([0, 1, 1, 1])


def test_sums_of_rows_of_length_1() -> None:
    sum_CD, count_C = class_sums(Z_ND, Y_N, 3)
    assert sum_CD.tolist() == [[1, 0], [1, 0], [0, 0]]
    assert sum_CD.dtype == torch.float64
    assert count_C.tolist() == [1, 3, 0]


def test_directions_have_length_1() -> None:
    assert class_directions(Z_ND, Y_N, 2).tolist() == [[1, 0], [1, 0]]


def test_a_class_without_samples_is_named() -> None:
    with pytest.raises(CellError, match="class number 2"):
        class_directions(Z_ND, Y_N, 3)
    with pytest.raises(CellError, match="class number 1"):
        refuse_empty_classes(torch.tensor([4, 0]))


def test_text_plus_support_by_hand() -> None:
    """N = 4: lambda = 1, 1/3 and infinite; s / (N lambda) = 0.5, 1.5 and 0."""
    text_CD = torch.ones(3, 2, dtype=torch.float64)
    w_CD = text_plus_support(text_CD, Z_ND, Y_N, 2.0)
    torch.testing.assert_close(
        w_CD, torch.tensor([[1.5, 1], [2.5, 1], [1, 1]], dtype=torch.float64)
    )
