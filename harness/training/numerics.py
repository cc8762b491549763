"""How exactly a GPU computes: TF32, and algorithms that give the same bits every time.

torch leaves TF32 off in matrix products and on in convolutions, so both are set for a cell. None of
it changes anything on the CPU.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: cuBLAS is deterministic with a workspace of this form: 8 buffers of 4 MiB.
WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def prepare_cublas(torch_device: torch.device) -> None:
    """Let later cells of this process be deterministic. Called before the GPU multiplies anything,
    as the process reads the variable then and never again; a value of the user's own is kept.
    """
    if torch_device.type == "cuda":
        os.environ.setdefault(*WORKSPACE)


@contextmanager
def numerics(
    torch_device: torch.device, *, tf32: bool = False, deterministic: bool = False
) -> Iterator[None]:
    """Within it a GPU computes so; afterwards as before. It holds for the whole process, so cells
    of a GPU run one after the other.

    An operation without a deterministic algorithm raises RuntimeError in torch.
    """
    if torch_device.type != "cuda":
        yield
        return
    import torch

    before = _settings()
    # Without `benchmark` cudnn does not choose an algorithm by the time that it takes.
    _set(tf32, tf32, deterministic, torch.backends.cudnn.benchmark and not deterministic)
    try:
        yield
    finally:
        _set(*before)


def in_force(torch_device: torch.device) -> dict[str, bool]:
    """What holds now on a GPU, for a Record; nothing on the CPU."""
    if torch_device.type != "cuda":
        return {}
    matmul, convolutions, deterministic, _ = _settings()
    return {"tf32": matmul and convolutions, "deterministic": deterministic}


def _settings() -> tuple[bool, bool, bool, bool]:
    import torch

    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
    )


def _set(matmul: bool, convolutions: bool, deterministic: bool, benchmark: bool) -> None:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = matmul
    torch.backends.cudnn.allow_tf32 = convolutions
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = benchmark
