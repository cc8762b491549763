"""float32 on a GPU as such: torch leaves TF32 off in matrix products, and on in convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextmanager
def without_tf32(torch_device: torch.device) -> Iterator[None]:
    """Within it a GPU computes float32 as such; afterwards as before. It holds for the whole
    process, so cells of a GPU run one after the other. It changes nothing on the CPU.
    """
    if torch_device.type != "cuda":
        yield
        return
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
