"""The benchmark of a GPU: its path runs on the CPU and on the pretended GPU; its page says what was
met. Nothing is timed.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pretended_gpu import pretended_gpu

from benchmarks import gpu
from benchmarks.gpu_training import QUICK, opened


def rows(page: str) -> dict[str, list[str]]:
    """What, and (measured, goal, whether it was met)."""
    cells = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return {cell[0]: cell[1:] for cell in cells[2:]}


def number(measured: str) -> float:
    return float(re.split("[ %]", measured)[0])


@pytest.mark.real_cpu("it asks for the CPU")
@pytest.mark.slow
def test_the_whole_path_runs_on_the_cpu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_DEVICE", raising=False)
    report = tmp_path / "gpu.md"
    command = ["--quick", "--device", "cpu", "--report", str(report)]
    assert gpu.main(command) == 0
    page = report.read_text()
    assert page == capsys.readouterr().out.removesuffix("\n")
    assert f"    python -m benchmarks.gpu {' '.join(command)}\n" in page
    assert f"torch {torch.__version__}" in page
    assert "[Fine-tuning on a GPU](gpu.md)" in (tmp_path / "README.md").read_text()
    found = rows(page)
    assert number(found["training without data"][0]) > 0
    assert 0 <= number(found["the device waits for data"][0]) <= 100
    off = number(found["loss of 3 steps in bfloat16"][0])
    assert 0 < off <= 100 * gpu.TOLERANCE, "another precision, about the same loss"
    assert not any("met" in line.split("|")[-2] for line in page.splitlines() if "|" in line)
    assert "HARNESS_DEVICE" not in os.environ


@pytest.mark.slow
def test_the_training_that_is_measured_runs_on_a_gpu(tmp_path: Path) -> None:
    """The host waits once an epoch, to read the losses."""
    with pretended_gpu(), opened(QUICK, torch.device("cuda", 0), tmp_path) as bench:
        run = replace(bench, workers=1).real()
        assert run.waits == 1
        assert run.steps == 8, "four times what a worker reads ahead"
        assert 0 < run.waiting < 1
        assert bench.synthetic("matching", 2).waits == 1
        on_gpu = bench.losses("float32")
    with opened(QUICK, torch.device("cpu"), tmp_path) as bench:
        assert on_gpu == pytest.approx(bench.losses("float32"), rel=1e-5)


@pytest.mark.real_cpu("it is about a machine without a GPU")
@pytest.mark.parametrize("arguments", [[], ["--quick"], ["--device", "cpu"]])
def test_without_a_gpu_it_says_so(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpu.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: this benchmark needs a GPU, and there is none that this process may use; "
        "--quick --device cpu runs its path on the CPU with a tiny ViT\n"
    )


def test_a_line_says_whether_its_goal_is_met() -> None:
    line = gpu.Line("the device waits for data", "2.0% of the time", "under 3%", True)
    assert line.row() == "| the device waits for data | 2.0% of the time | under 3% | met |"
    assert replace(line, is_met=False).row().endswith("| under 3% | not met |")
    assert gpu.Line("x", "1 s").row() == "| x | 1 s |  |  |"
