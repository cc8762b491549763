"""What holds of every log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.core import registry
from harness.core.errors import BadInput
from harness.core.protocols.log import LogPlugin

from .points import CELL, write


@pytest.mark.parametrize("name", registry.names("log"))
def test_it_is_ready_where_its_package_is_here(name: str) -> None:
    plugin = registry.load(LogPlugin, name)
    plugin.ready()
    assert plugin.Options.model_fields == {}


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")])
def test_a_missing_package_is_told(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.logs._log.find_spec", lambda _: None)
    plugin = registry.load(LogPlugin, name)
    for call in (plugin.ready, lambda: plugin.open_log(tmp_path, "k1", CELL)):
        with pytest.raises(BadInput, match=f"--log {name} needs .*: pip install {package}"):
            call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["jsonl", "tensorboard"])
def test_nothing_is_written_where_nothing_is_trained(name: str, tmp_path: Path) -> None:
    write(registry.load(LogPlugin, name).open_log(tmp_path, "k1", CELL))
    assert list(tmp_path.iterdir()) == []


def test_importing_a_log_loads_no_package() -> None:
    code = "import sys, harness.logs.wandb, harness.logs.tensorboard as t; "
    code += "sys.exit('wandb' in sys.modules or 'tensorboardX' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
