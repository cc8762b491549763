"""Kernels that add in a fixed order, so that the same seed gives the same numbers (recipe key
`deterministic`), and the names of those that do not.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.core.errors import CellError

if TYPE_CHECKING:
    import torch

#: What torch says of a kernel without a fixed order, as a warning or as an error.
_NO_ORDER = re.compile(
    r"(\S.*?) (?:does not have a deterministic implementation"
    r"|defaults to a non-deterministic algorithm)"
)
_CUBLAS = re.compile(r"(?s).*not deterministic because it uses (CuBLAS)")


def order_of(declared: bool | None, torch_device: torch.device) -> bool | None:
    """What a declaration means on a device. Kernels of the CPU have a fixed order, or are those of
    `deterministic: true`, which refuses the others.
    """
    return declared if torch_device.type == "cuda" or declared else None


@contextmanager
def ordered(declared: bool | None, torch_device: torch.device) -> Iterator[None]:
    """Within it kernels add in a fixed order as `recipe.deterministic` says; afterwards as before.

    true: others raise; see `named_kernels`. None: on a GPU they warn, on the CPU nothing is set.
    false: on a GPU the fastest kernels; on the CPU nothing is set. The switches hold for the whole
    process: all cells that run meanwhile declare the same.
    """
    order = order_of(declared, torch_device)
    if order is None and torch_device.type != "cuda":
        yield
        return
    before = _switches()
    try:
        _set(
            deterministic=order is not False,
            warn_only=order is None,
            fill=False,  # memory that is read is written before
            benchmark=order is False and torch_device.type == "cuda",
            warn_always=True,  # of a kernel again in every cell
        )
        yield
    finally:
        _set(**before)


@contextmanager
def named_kernels(torch_device: torch.device) -> Iterator[dict[str, None]]:
    """The names of kernels without a fixed order that are used within, as far as torch warns of
    them: on a GPU, whose cells run one after the other.

    Raises CellError in place of torch's error where they are refused.
    """
    kernels: dict[str, None] = {}
    try:
        if torch_device.type != "cuda":  # Python's filters of warnings belong to all threads
            yield kernels
        else:
            with _collected(kernels):
                yield kernels
    except RuntimeError as error:
        kernel = _kernel(str(error))
        if kernel is None:
            raise
        raise CellError(
            f"recipe.deterministic: true: {kernel} has no kernel on this device that adds in a "
            "fixed order"
        ) from error


def kernel_warnings(kernels: Iterable[str]) -> tuple[str, ...]:
    """Of a Record: its last digits may be others in the next run."""
    return tuple(
        f"{kernel} has no kernel on this GPU that adds in a fixed order: the same seed may give "
        "other last digits"
        for kernel in kernels
    )


@contextmanager
def _collected(kernels: dict[str, None]) -> Iterator[None]:
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any) -> None:
            kernel = _kernel(str(message))
            if kernel is None:
                others(message, category, *rest)
            else:
                kernels[kernel] = None

        for pattern in (_NO_ORDER, _CUBLAS):
            warnings.filterwarnings("default", pattern.pattern, UserWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _kernel(message: str) -> str | None:
    """The kernel that a message of torch is about; None for another message."""
    found = _NO_ORDER.match(message) or _CUBLAS.match(message)
    return found[1] if found else None


def _switches() -> dict[str, bool]:
    import torch

    return {
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "fill": _uninitialised().fill_uninitialized_memory,
        "benchmark": torch.backends.cudnn.benchmark,
        "warn_always": torch.is_warn_always_enabled(),
    }


def _set(
    *, deterministic: bool, warn_only: bool, fill: bool, benchmark: bool, warn_always: bool
) -> None:
    import torch

    torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
    _uninitialised().fill_uninitialized_memory = fill
    torch.backends.cudnn.benchmark = benchmark
    torch.set_warn_always(warn_always)


def _uninitialised() -> Any:
    """Where torch has the switch for memory that nothing was written to."""
    import torch

    return torch.utils.deterministic
