"""float32 on a GPU: TF32 where a recipe declares it, and nowhere else. torch leaves it on in the
convolutions of cuDNN.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

FLOAT32, TF32 = "float32", "tf32"
#: The first generation of GPUs (compute capability) that has it: Ampere.
_FIRST_WITH_TF32 = (8, 0)


@contextmanager
def float32_as(precision: str, torch_device: torch.device) -> Iterator[None]:
    """Within it matrix products and convolutions of float32 numbers use TF32 on a GPU if the
    precision is `tf32`, and else do not; afterwards as before. It holds for the whole process, so
    cells of a GPU run one after the other. It changes nothing on the CPU.
    """
    if torch_device.type != "cuda":
        yield
        return
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = precision == TF32
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def has_tf32(torch_device: torch.device) -> bool:
    """Whether a device has TF32: an NVIDIA GPU from Ampere on."""
    import torch

    if torch_device.type != "cuda" or torch.version.hip is not None:
        return False
    return torch.cuda.get_device_capability(torch_device) >= _FIRST_WITH_TF32
