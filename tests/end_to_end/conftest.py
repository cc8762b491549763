"""A study that can be slow or fail, and the same study run without a disturbance."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Call, WriteTask, hashes

from .lab import CELLS, LAB, SEEDS, SLOW


@pytest.fixture
def task(tiny: WriteTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """TINY with a classifier that can be slow or fail, from a package in the working directory."""
    package = tmp_path / "laboratory"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "slow.py").write_text(LAB)
    monkeypatch.syspath_prepend(tmp_path)
    return Path(tiny(classifier=[SLOW, "random"], seeds=SEEDS)).name


@pytest.fixture
def reference(cli: Call, task: str, tmp_path: Path) -> Path:
    """An uninterrupted run of the same task, in a runs folder of its own."""
    ended = cli("grid", task, "--runs", "whole", "--reports", "whole_reports")
    assert ended.code == 0, ended.err
    assert len(hashes(tmp_path / "whole")) == CELLS
    return tmp_path / "whole"
