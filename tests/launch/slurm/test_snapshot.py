"""Jobs run a copy of the code: of the package, and of what came from the working directory."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.store import Store
from harness.launch.slurm import snapshot as code

PRINT = "import harness.launch._job, own_plugin; print(harness.launch._job.__file__, own_plugin.N)"


@pytest.fixture
def own_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in the working directory, imported."""
    package = tmp_path / "own_plugin"
    package.mkdir()
    (package / "__init__.py").write_text("N = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("own_plugin")
    monkeypatch.delitem(sys.modules, "own_plugin", raising=False)
    __import__("own_plugin")
    return package


def test_jobs_import_what_was_submitted(tmp_path: Path, own_plugin: Path) -> None:
    """Not what is edited afterwards, in the checkout or in the working directory."""
    folder = code.snapshot(Store(tmp_path / "runs"))
    (own_plugin / "__init__.py").write_text("N = 2\n")
    script = "\n".join([*code.setup_lines(folder), f"{sys.executable} -c '{PRINT}'"])
    ended = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(code.PACKAGE.parent)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout.split() == [str(folder / "harness" / "launch" / "_job.py"), "1"]
    assert (folder / "harness" / "encoders" / "lit_emoji.safetensors").is_file()
    assert (folder / "baselines").is_dir()
    assert set(json.loads((folder / "commit.json").read_text())) == {"commit", "dirty"}


def test_only_modules_directly_in_the_working_directory_are_copied(
    tmp_path: Path, own_plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an environment somewhere below it, as in a home directory."""
    below = tmp_path / "env" / "lib"
    for package in (below / "deep_package", tmp_path / "no_init"):
        package.mkdir(parents=True)
        (package / "part.py").touch()
    (tmp_path / "single.py").touch()
    (below / "deep_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(below)
    names = ("single", "no_init.part", "deep_package")
    for name in names:
        importlib.import_module(name)
    folder = code.snapshot(Store(tmp_path / "runs"))
    for name in names:
        sys.modules.pop(name)
    assert {p.name for p in folder.iterdir()} >= {"harness", "own_plugin", "single.py", "no_init"}
    assert not (folder / "deep_package").exists()


def test_equal_code_is_copied_once(tmp_path: Path, own_plugin: Path) -> None:
    store = Store(tmp_path / "runs")
    first = code.snapshot(store)
    stamp = first.stat().st_mtime_ns
    assert code.snapshot(store) == first
    assert first.stat().st_mtime_ns == stamp
    (own_plugin / "__init__.py").write_text("N = 2\n")
    assert code.snapshot(store) != first
    assert len(list((tmp_path / "runs" / "jobs").iterdir())) == 2
