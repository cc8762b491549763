"""Rows that no classifier tells apart: against every pair of rows, computed one by one."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from harness.core.text_findings import EqualRows
from harness.training import equal_rows as module
from harness.training.equal_rows import equal_rows


def rows(seed: int = 0, n: int = 40) -> torch.Tensor:
    return torch.randn(n, 16, generator=torch.Generator().manual_seed(seed))


def test_different_rows_are_neither_equal_nor_close() -> None:
    assert equal_rows(rows()) == EqualRows()


@pytest.mark.parametrize("block", [3, 512])
def test_every_row_is_compared_with_all_earlier_ones(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    w_CD = rows()
    w_CD[7] = w_CD[2]
    w_CD[8] = 3 * w_CD[2]  # the length does not matter
    w_CD[30] = w_CD[29] + 0.01 * rows(1)[0]
    w_CD[31] = w_CD[2] + 1e-7 * rows(1)[1]  # rounding
    found = equal_rows(w_CD)
    assert found == EqualRows(((2, 7), (2, 8), (2, 31)), 3, ((29, 30),), 1)
    cosines = F.normalize(w_CD.double(), dim=-1) @ F.normalize(w_CD.double(), dim=-1).T
    expected = [c for c in range(40) if (cosines[c, :c] > 0.999).any()]
    assert [row for _, row in sorted((*found.equal, *found.close), key=lambda p: p[1])] == expected


def test_five_are_named_and_all_are_counted() -> None:
    found = equal_rows(torch.ones(1000, 4))
    assert found == EqualRows(tuple((0, c) for c in range(1, 6)), 999)
    assert equal_rows(torch.zeros(3, 4)).n_equal == 2
    assert equal_rows(torch.ones(1, 4)) == EqualRows()
