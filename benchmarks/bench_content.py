"""How long keys of one's own pictures take: the first plan reads every file, later ones ask for
its size and times alone.

    make bench                               20,000 files
    HARNESS_BENCH_FILES=200000 make bench

They are made for it: 10 bytes each, as many a class as ImageNet has. So what is measured is the
cost of a file, and not of its bytes. `of_1_28M` is what all of ImageNet's would take, in seconds of
one core. Nothing is asserted: times belong to the machine that they are measured on.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.data import folder

FILES = int(os.environ.get("HARNESS_BENCH_FILES", "20000"))
IMAGENET = 1_281_167
CLASSES = max(2, FILES * 1000 // IMAGENET)  # as many files a class


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A training split of FILES files, and a test split of one file a class."""
    root = tmp_path_factory.mktemp("pictures")
    for c in range(CLASSES):
        for split, count in (("train", FILES // CLASSES), ("test", 1)):
            below = root / split / f"n{c:08}"
            below.mkdir(parents=True)
            for n in range(count):
                with open(f"{below}/n{c:08}_{n:05}.png", "wb") as file:  # noqa: PTH123
                    file.write(b"%010d" % (c * FILES + n))
    yield root
    shutil.rmtree(root)  # pytest would keep it


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def bench_first_plan(benchmark: BenchmarkFixture, pictures: Path) -> None:
    """Open the folder and hash all of its files."""
    _measure(benchmark, pictures, rounds=1)


def bench_later_plan(benchmark: BenchmarkFixture, pictures: Path) -> None:
    """Open the folder and find the hash of every file under its size, times and inode."""
    _keys(pictures)
    _measure(benchmark, pictures, rounds=3)


def _measure(benchmark: BenchmarkFixture, pictures: Path, rounds: int) -> None:
    began = time.process_time()
    benchmark.pedantic(_keys, (pictures,), rounds=rounds)
    seconds = (time.process_time() - began) / rounds
    benchmark.extra_info["files"] = FILES + CLASSES
    benchmark.extra_info["seconds_of_a_core"] = round(seconds, 2)
    of_all = seconds / (FILES + CLASSES) * IMAGENET
    benchmark.extra_info["of_1_28M"] = round(of_all, 1)
    print(
        f"\n{benchmark.name}: {seconds:.2f} s of a core for {FILES + CLASSES:,} files; "
        f"{IMAGENET:,} would take {of_all:.0f} s"
    )


def _keys(pictures: Path) -> str:
    data = folder.open_dataset(str(pictures), folder.Options())
    every = range(len(data.classes))
    return data.content({"train": every, "test": every})
