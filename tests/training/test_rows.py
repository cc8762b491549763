"""Rows of features that are gathered when they are used: as all in memory would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from harness.training import cached
from harness.training import rows as module
from harness.training.cached import CachedFeatures, StoredFeatures, cached_features
from harness.training.probe import Standard
from harness.training.rows import StoredRows


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 4)


def stored(dtype: type = np.float32) -> tuple[StoredRows, torch.Tensor]:
    """Eleven samples of three tables, and what they are."""
    table_NF = np.random.default_rng(0).normal(size=(9, 5)).astype(dtype)
    number_N = np.array([8, 0, 3, 3, 5, 1, 7, 2, 4, 6, 8])
    tables = [table_NF[:3], table_NF[3:4], table_NF[4:]]
    return StoredRows(tables, number_N, 5), torch.from_numpy(table_NF[number_N]).float()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_of_several_tables(dtype: type) -> None:
    rows, h_NF = stored(dtype)
    assert (len(rows), rows.shape, rows.nbytes) == (11, (11, 5), 220)
    assert torch.equal(rows.gather(), h_NF)
    assert torch.equal(torch.cat(list(rows.blocks())), h_NF)
    index = np.array([9, 0, 0])
    assert torch.equal(rows.gather(index), h_NF[index])
    assert torch.equal(rows.of(index).gather(), h_NF[index])
    assert torch.equal(rows.of(np.arange(10)).shaped(2, 5).gather(), h_NF[:10].reshape(2, 5, 5))


def test_a_table_is_mapped_into_memory_and_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "h.npy", np.arange(12, dtype=np.float16).reshape(4, 3))
    table_NF = np.load(tmp_path / "h.npy", mmap_mode="r")
    rows = StoredRows([table_NF], np.array([3, 1]), 3)
    assert rows.gather().tolist() == [[9, 10, 11], [3, 4, 5]]
    assert rows.gather().dtype == torch.float32


def test_many_rows_are_gathered_by_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, h_NF = stored()
    transform = lambda h_BF: F.normalize(h_BF, dim=-1)  # noqa: E731
    kept = cached_features(rows, "cpu", transform)
    monkeypatch.setattr(cached, "MOST_IN_MEMORY", rows.nbytes - 1)
    source = cached_features(rows, "cpu", transform)
    assert type(kept) is CachedFeatures
    assert isinstance(source, StoredFeatures)
    batch_B = torch.tensor([10, 2, 2, 11 + 4])
    assert torch.equal(source.features(batch_B), kept.features(batch_B))
    assert torch.equal(source.h_NF, kept.h_NF)
    assert (len(source), source.width, source.frames) == (11, 5, None)
    clips = cached_features(rows.of(np.arange(10)).shaped(5, 2))
    assert (len(clips), clips.width, clips.frames) == (5, 5, 2)
    assert clips.features(torch.tensor([6])).tolist() == [h_NF[2:4].tolist()]


def test_views_of_samples() -> None:
    """Five samples of two views each, read three samples at a time or fewer."""
    rows, h_MF = stored()
    views, h_NVF = rows.of(np.arange(10)).shaped(5, 2), h_MF[:10].reshape(5, 2, 5)
    assert torch.equal(views.view(1).gather(), h_NVF[:, 1])
    assert torch.equal(views.pooled().gather(), torch.cat([h_NVF[:, 0], h_NVF[:, 1]]))
    mean = views.mean_over_views()
    torch.testing.assert_close(mean.gather(), h_NVF.mean(dim=1))
    assert torch.equal(mean.of(np.array([4, 1])).gather(), mean.gather()[[4, 1]])


def test_mean_and_deviation_by_blocks() -> None:
    _rows, h_NF = stored()
    h_NF[:, 2] = 3.0
    whole = Standard.of(h_NF)
    parts = Standard.of_blocks(lambda: h_NF.split(4), len(h_NF))
    torch.testing.assert_close(parts.mean_D, whole.mean_D)
    torch.testing.assert_close(parts.std_D, whole.std_D)
    assert parts.std_D[2] == 1
    assert parts.std_D.dtype == torch.float32
