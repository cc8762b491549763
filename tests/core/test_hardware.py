"""What is known of a machine's devices without torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import hardware


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HARNESS_DEVICE", raising=False)
    monkeypatch.setattr(hardware, "DRIVER", tmp_path)
    return tmp_path


def test_a_machine_without_a_gpu(driver: Path) -> None:
    here = hardware.hardware_here()
    assert (here.device, here.name, here.processes) == ("cpu", None, 1)
    assert here.cores >= 1


def test_the_driver_names_its_gpus(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (driver / "version").write_text("NVRM")
    assert hardware.hardware_here().name is None, "it does not say which"
    (driver / "gpus" / "0000:01").mkdir(parents=True)
    file = driver / "gpus" / "0000:01" / "information"
    file.write_text("IRQ: 16\nModel: \t\t NVIDIA H100 80GB HBM3 \nBus: PCIe\n")
    here = hardware.hardware_here()
    assert (here.device, here.name) == ("cuda", "NVIDIA H100 80GB HBM3")
    monkeypatch.setenv("HARNESS_DEVICE", "cpu")
    assert hardware.hardware_here().name is None
    assert hardware.hardware_here("cuda").name == "NVIDIA H100 80GB HBM3"
