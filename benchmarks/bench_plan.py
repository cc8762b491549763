"""How long planning takes: two studies of tens of thousands of cells.

    make bench

Nothing is asserted: times belong to the machine that they are measured on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import harness

STUDIES: dict[str, tuple[str, dict[str, Any]]] = {
    "92,000 cells that differ in their seed": ("few_shot", {"seeds": 4000}),
    "200 draws of 100 classes, 20 seeds": (
        "few_shot_draws", {"class_seed": list(range(200)), "seeds": 20},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def bench_plan(benchmark: BenchmarkFixture, name: str, tmp_path: Path) -> None:
    """From the file to the keys and the status of every cell; datasets are opened anew."""
    task, changes = STUDIES[name]

    def plan() -> int:
        return len(harness.open_study(task, runs=tmp_path, **changes).plan().cells)

    benchmark.extra_info["cells"] = plan()
    benchmark.pedantic(plan, rounds=3)
