"""The suites of `make bench` can be imported; their page says what was met. Nothing is timed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT

SUITES = sorted((ROOT / "benchmarks").glob("*.py"))


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_suite_can_be_imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(path, monkeypatch)
    measures = [name for name in vars(module) if name.startswith("bench_")]
    assert bool(measures) == path.stem.startswith("bench_")


def document(**seconds: float) -> dict[str, Any]:
    """As pytest-benchmark saves it, two cells each."""
    return {
        "datetime": "2026-11-27T10:00:00",
        "machine_info": {
            "cpu": {"brand_raw": "A CPU", "count": 2}, "machine": "x", "python_version": "3.11.1",
        },
        "benchmarks": [
            {
                "name": name,
                "stats": {"median": median},
                "extra_info": {"cells": 2, "top1": 75.0 + (name == "bench_solver[lbfgs]") * 0.5},
            }
            for name, median in seconds.items()
        ],
    }  # fmt: skip


@pytest.fixture
def performance(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load(ROOT / "benchmarks" / "performance.py", monkeypatch)


def test_the_page_has_ratios_and_says_what_is_met(performance: ModuleType) -> None:
    baselines = {"bench_dataloader": 6.4, "bench_in_memory": 2.0, "bench_sklearn": 2.0}
    solvers = {"bench_solver[lbfgs]": 0.32, "bench_solver[first_order]": 2.6}
    page = performance.page(document(**baselines, **solvers))
    assert "A CPU, 2 cores; Python 3.11.1, torch " in page
    rows = [line for line in page.splitlines() if "solver" in line]
    assert rows == [
        "| a cell, solver lbfgs (75.5% right) | 160.0 ms | 20.0 times as fast as the DataLoader "
        "loop, 6.2 times as scikit-learn | 16 and 5 times (goal: 25 and 8) | met |",
        "| accuracy, solver lbfgs |  | +0.50 points from scikit-learn | 0.2 points | not met |",
        "| a cell, solver first_order (75.0% right) | 1.30 s | 1.30 times the loop in memory "
        "| at most 1.2 times | not met |",
    ]
    assert "Planning" not in page, "nothing of it was measured"


def test_plans_are_scaled_to_the_target(performance: ModuleType) -> None:
    page = performance.page(document(**{"bench_plan[two cells]": 0.0001}))
    assert "| plan 2 cells: two cells | 0.1 ms | 100,000 cells: 5.00 s | 10 s | met |" in page


def test_an_exchange_is_compared_with_that_of_torch(performance: ModuleType) -> None:
    found = document(bench_exchange=60.0)
    found["benchmarks"][0]["extra_info"] = {
        "ddp": 2.0, "buckets": 2.2, "parameters": 85_054_464, "target": 1.15
    }  # fmt: skip
    assert (
        "| a step of 2 processes over gloo, 85M parameters | 2.20 s | 1.10 times "
        "DistributedDataParallel | at most 1.15 times | met |"
    ) in performance.page(found)


def test_the_page_is_written(
    performance: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, goal = tmp_path / "benchmark.json", tmp_path / "performance.md"
    source.write_text(json.dumps(document(bench_sklearn=1.0)))
    write: Callable[[list[str]], None] = performance.main
    write([str(source), str(goal)])
    assert goal.read_text() == capsys.readouterr().out.removesuffix("\n")
    assert "| a cell, sklearn (75.0% right) | 500.0 ms |" in goal.read_text()
    assert "[Performance](performance.md)" in (tmp_path / "README.md").read_text()


def test_a_command_of_the_scale_table_is_met_by_time_memory_and_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scale = load(ROOT / "benchmarks" / "scale.py", monkeypatch)
    fast = scale.Cost(cpu_s=9.0, wall_s=11.0, peak_mb=250.0, code=0, told="")
    assert scale.Line("plan", fast, 10, 300).row() == (
        "| plan | 9.0 s | 11.0 s | 250 MB | 10 s, 300 MB | met |"
    )
    assert not scale.Line("plan", fast, 8, 300).is_met
    assert not scale.Line("plan", fast, 10, 200).is_met
    assert not scale.Line("plan", fast, 10, 300, codes=(3,)).is_met
    assert scale.Line("plan", fast, None, None).row().endswith("| 250 MB |  |  |")


def test_the_scale_of_few_files_is_measured_in_processes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scale = load(ROOT / "benchmarks" / "scale.py", monkeypatch)
    changed = scale.videos(tmp_path, 24 * scale.VIDEO_CLASSES // 2)
    assert changed.read_bytes() == b"%010d" % 0
    cost = scale.measured(["data", "check", f"video:{tmp_path}", "--sample", "0"], tmp_path)
    assert (cost.code, cost.told) == (0, "")
    assert cost.cpu_s > 0
    assert cost.peak_mb > 20


def test_the_simulation_of_settle_tests_as_reports_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from harness.core.outcomes import Outcomes
    from harness.stats.moderated import share_seed_variance
    from harness.stats.pairwise import contrast

    settle = load(ROOT / "benchmarks/settle.py", monkeypatch)
    for name, world in settle.WORLDS.items():
        x_KSN = world.draw(np.random.default_rng(3), 7)
        found = settle.tested(x_KSN, 0.05)
        rows = [Outcomes(x_SN > 0, tuple(range(7)), np.arange(world.items)) for x_SN in x_KSN]
        pairs = zip(*np.triu_indices(len(rows), 1), strict=True)
        alone = [contrast(rows[i], rows[j], name_a="a", name_b="b") for i, j in pairs]
        theirs = share_seed_variance(alone)
        assert found.p == pytest.approx([c.p for c in theirs], abs=1e-9), name
        covers = [c.low is not None and c.low <= 0 <= (c.high or 0) for c in theirs]
        assert found.covers.tolist() == covers
