"""Features of which every epoch reads another view."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.training import cycled as module
from harness.training.cycled import CycledFeatures
from harness.training.rows import StoredRows

N, V, F = 3, 4, 2


def rows() -> StoredRows:
    """Sample i in view v is (10 i + v, -v)."""
    table_MF = np.array([[10 * i + v, -v] for i in range(N) for v in range(V)], np.float32)
    return StoredRows([table_MF], np.arange(N * V).reshape(N, V), F)


@pytest.mark.parametrize("room", [2**20, 0])
def test_epoch_e_reads_view_e_mod_n(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IN_MEMORY", room)
    source = CycledFeatures(rows())
    assert (len(source), source.width, source.frames) == (N, F, None)
    for epoch in (0, 1, 5, 3, 4, 1):
        source.begin_epoch(epoch)
        v = epoch % V
        assert source.features(torch.tensor([2, 0])).tolist() == [[20 + v, -v], [v, -v]]
        assert source.h_NF.tolist() == [[v, -v], [10 + v, -v], [20 + v, -v]]


def test_a_view_is_transformed_as_a_whole() -> None:
    source = CycledFeatures(rows(), "cpu", lambda h_NF: h_NF[:, :1] + 1)
    source.begin_epoch(2)
    assert source.h_NF.tolist() == [[3], [13], [23]]
    assert source.width == 1


def test_all_views_are_of_every_sample_in_turn() -> None:
    pooled, views = CycledFeatures(rows()).all_views()
    assert views == V
    assert pooled.h_NF[:, 0].tolist() == [0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23]
