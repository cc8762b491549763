"""Which device a process computes on; a GPU is only asked for where there is one."""

from __future__ import annotations

import pytest
import torch

from harness.core.errors import BadInput
from harness.training.device import (
    device,
    device_name,
    forget_peak,
    gpu_shares,
    peak_memory,
    synchronise,
)

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def undeclared(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("HARNESS_DEVICE", "LOCAL_RANK", "SLURM_LOCALID", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS")
    for name in (*names, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def with_gpus(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: number)


def test_without_a_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(0, monkeypatch)
    assert device() == CPU


@pytest.mark.parametrize(
    ("variables", "index"),
    [({}, 0), ({"LOCAL_RANK": "1"}, 1), ({"SLURM_LOCALID": "3"}, 1),
     ({"LOCAL_RANK": "0", "SLURM_LOCALID": "1"}, 0)],
)  # fmt: skip
def test_each_process_of_a_node_has_a_gpu(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], index: int
) -> None:
    with_gpus(2, monkeypatch)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert device() == torch.device("cuda", index)


def test_the_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(2, monkeypatch)
    for wanted in ("cpu", "cuda", "cuda:1"):
        monkeypatch.setenv("HARNESS_DEVICE", wanted)
        assert device() == torch.device(wanted)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("gpu", "'gpu' is not a device; allowed: cpu, cuda, cuda:N"),
        ("mps", "'mps' is not supported"), ("cuda:2", "there is no device 'cuda:2'"),
    ],
)  # fmt: skip
def test_a_device_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, wanted: str, words: str
) -> None:
    with_gpus(2, monkeypatch)
    monkeypatch.setenv("HARNESS_DEVICE", wanted)
    with pytest.raises(BadInput, match=f"^HARNESS_DEVICE: .*{words}"):
        device()


@pytest.mark.parametrize("name", ["SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "CUDA_VISIBLE_DEVICES"])
def test_a_reserved_gpu_that_is_not_seen_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with_gpus(0, monkeypatch)
    monkeypatch.setenv(name, "2,3")
    with pytest.raises(BadInput, match=f"^{name}=2,3 .* torch sees none.*HARNESS_DEVICE=cpu"):
        device()
    monkeypatch.setenv("HARNESS_DEVICE", "cpu")
    assert (device(), gpu_shares()) == (CPU, [])
    monkeypatch.delenv("HARNESS_DEVICE")
    with_gpus(2, monkeypatch)
    assert device() == torch.device("cuda", 0)


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles"])
def test_variables_that_name_no_gpu(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with_gpus(0, monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert (device(), gpu_shares()) == (CPU, [])


@pytest.mark.parametrize(
    ("variables", "shares"),
    [
        ({}, ["0", "1"]), ({"CUDA_VISIBLE_DEVICES": "5,GPU-7f"}, ["5", "GPU-7f"]),
        ({"HARNESS_DEVICE": "cuda:1"}, ["0,1"]), ({"HARNESS_DEVICE": "cpu"}, []),
        ({"HARNESS_DEVICE": "cuda:1", "CUDA_VISIBLE_DEVICES": "5,6"}, ["5,6"]),
    ],
)  # fmt: skip
def test_gpus_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], shares: list[str]
) -> None:
    with_gpus(2, monkeypatch)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert gpu_shares() == shares


def test_the_cpu_has_a_name_and_no_memory_of_its_own() -> None:
    synchronise(CPU)
    forget_peak(CPU)
    assert (device_name(CPU), peak_memory(CPU)) == ("cpu", None)
