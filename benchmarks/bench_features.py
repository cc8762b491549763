"""How long cached features of ImageNet's size take to open, and to gather.

    make bench
    HARNESS_BENCH_ROWS=100000 make bench

1,281,167 rows of 512 numbers in half precision: made once a session, 1.3 GB in the folder of
temporary files. The baseline is a folder of .npy files of 512 rows with their names in JSON, read
whole, as features were kept before.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.training.blocks import block_of, ids_of, write_block
from harness.training.feature_folder import BLOCK_BYTES, Search, list_files
from harness.training.rows import StoredRows

ROWS = int(os.environ.get("HARNESS_BENCH_ROWS", "1281167"))
WIDTH, DRAWN = 512, 16384
SHARDS = 64  # of the baseline: 2.5% of ImageNet's
SHARD = 512


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("features")
    each = BLOCK_BYTES // (2 * WIDTH)
    noise = np.random.default_rng(0).standard_normal((min(each, ROWS), WIDTH), dtype=np.float32)
    table_NF = noise.astype(np.float16)
    for start in range(0, ROWS, each):
        ids = ids_of([f"item {n}" for n in range(start, min(start + each, ROWS))])
        write_block(folder, block_of(ids, table_NF[: ids.shape[1]], [None] * ids.shape[1]))
    yield folder
    shutil.rmtree(folder)  # pytest would keep it


@pytest.fixture
def rows(blocks: Path) -> StoredRows:
    tables = [file.open().values_NF for file in list_files(blocks)]
    stored = StoredRows(tables, np.arange(ROWS), WIDTH)
    stored.gather(_drawn(0))
    return stored


def bench_open(benchmark: BenchmarkFixture, blocks: Path) -> None:
    """Find the files, map them and check the indices."""
    opened = benchmark.pedantic(lambda: [file.open() for file in list_files(blocks)], rounds=10)
    assert sum(map(len, opened)) == ROWS
    benchmark.extra_info |= {"rows": ROWS, "target_ms": 20, "what": f"open {ROWS:,} rows"}


def bench_gather(benchmark: BenchmarkFixture, rows: StoredRows) -> None:
    """A batch of 16,384 rows at random, in the page cache, as float32."""
    benchmark.pedantic(rows.gather, setup=lambda: ((_drawn(0),), {}), rounds=10)
    benchmark.extra_info |= {"target_ms": 50, "what": f"gather {DRAWN:,} rows at random"}


def bench_find_all(benchmark: BenchmarkFixture, blocks: Path) -> None:
    """What a study does before its first cell: find every row by its id, and check it."""
    ids_2N = ids_of([f"item {n}" for n in range(ROWS)])

    def find() -> Search:
        search = Search(ids_2N)
        search.look_in(blocks)
        return search

    assert len(benchmark.pedantic(find, rounds=1).missing()) == 0
    benchmark.extra_info |= {"target_ms": 10_000, "what": f"find and check {ROWS:,} rows by id"}


def bench_shards(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The baseline of `open`: a dict of rows out of shards, a fortieth of ImageNet's."""
    for number in range(SHARDS):
        ids = [f"{number * SHARD + n:064x}" for n in range(SHARD)]
        np.save(tmp_path / f"{number}.npy", np.ones((SHARD, WIDTH), np.float32))
        (tmp_path / f"{number}.json").write_text(json.dumps(ids))

    def read() -> dict[str, object]:
        found: dict[str, object] = {}
        for number in range(SHARDS):
            ids = json.loads((tmp_path / f"{number}.json").read_text())
            found.update(zip(ids, np.load(tmp_path / f"{number}.npy"), strict=True))
        return found

    assert len(benchmark.pedantic(read, rounds=3)) == SHARDS * SHARD
    benchmark.extra_info["rows"] = SHARDS * SHARD


def _drawn(seed: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).integers(0, ROWS, DRAWN)
