"""Sums have a fixed order as declared, and kernels without one are named or refused."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from harness.core.errors import CellError
from harness.training.determinism import kernel_warnings, named_kernels, ordered

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")


def switches() -> tuple[Any, ...]:
    fills: Any = torch.utils.deterministic
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        fills.fill_uninitialized_memory,
    )


def without_order() -> None:
    """A kernel of the CPU that torch calls not deterministic."""
    torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))


@pytest.mark.parametrize(
    ("declared", "device", "expected"),
    [
        (None, GPU, (True, True, False, False)),
        (True, GPU, (True, False, False, False)),
        (False, GPU, (False, False, True, False)),
        (True, CPU, (True, False, False, False)),
    ],
)
def test_switches_are_set_within_and_restored(
    declared: bool | None, device: torch.device, expected: tuple[bool, ...]
) -> None:
    before = switches()
    with ordered(declared, device):
        assert switches() == expected
    with pytest.raises(ZeroDivisionError), ordered(declared, device):
        raise ZeroDivisionError
    assert switches() == before


@pytest.mark.parametrize("declared", [None, False])
def test_nothing_is_set_on_the_cpu_unless_it_is_strict(declared: bool | None) -> None:
    before = switches()
    with ordered(declared, CPU), named_kernels(CPU) as kernels:
        assert switches() == before
        without_order()
    assert kernels == {}


def test_kernels_are_named_in_every_cell() -> None:
    for _ in range(2):
        with ordered(None, GPU), named_kernels(GPU) as kernels:
            for _ in range(3):
                without_order()
            text = "Memory Efficient attention defaults to a non-deterministic algorithm. To"
            warnings.warn(text, UserWarning, stacklevel=1)
        assert list(kernels) == ["put_", "Memory Efficient attention"]
    assert kernel_warnings(["put_"]) == (
        "put_ has no kernel on this GPU that adds in a fixed order: the same seed may give other "
        "last digits",
    )


def test_other_warnings_and_errors_are_as_they_were() -> None:
    with ordered(None, GPU), named_kernels(GPU) as kernels, pytest.raises(UserWarning, match="no"):
        warnings.warn("no", UserWarning, stacklevel=1)
    with pytest.raises(RuntimeError, match="mat1") as caught, named_kernels(GPU):
        torch.ones(2, 3) @ torch.ones(2, 3)
    assert kernels == {}
    assert not isinstance(caught.value, CellError)


@pytest.mark.parametrize("device", [CPU, GPU])
def test_a_strict_cell_names_the_kernel_that_it_needs(device: torch.device) -> None:
    named = pytest.raises(CellError, match=r"^recipe\.deterministic: true: put_ has no kernel")
    with named, ordered(True, device), named_kernels(device):
        without_order()


def test_cublas_is_named() -> None:
    text = (
        "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` "
        "or `at::Context::setDeterministicAlgorithms(true)`, but this operation is not "
        "deterministic because it uses CuBLAS and you have CUDA >= 10.2."
    )
    with pytest.raises(CellError, match="true: CuBLAS has"), named_kernels(GPU):
        raise RuntimeError(text)
