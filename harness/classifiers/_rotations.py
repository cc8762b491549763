"""A random rotation of the embedding, and a part of the way towards it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

    from harness.core.samples import FloatArray

#: A smaller entry below the diagonal is rounding: it belongs to no plane.
_ROUNDING = 1e-4


def random_rotation(dim: int, generator: torch.Generator) -> torch.Tensor:
    """Q (D, D), orthogonal. It depends on the generator and D alone."""
    import torch

    u_DD = torch.randn(dim, dim, generator=generator)
    q_DD: torch.Tensor = torch.linalg.qr(u_DD).Q
    return q_DD


def part_of(q_DD: torch.Tensor, amount: float) -> torch.Tensor:
    """Q^amount (D, D), orthogonal: every plane that Q turns by an angle turns by `amount` of it.

    Where the determinant of Q is -1, Q also mirrors one direction, which no rotation reaches: it is
    mirrored from an amount of 0.5 on.
    """
    import numpy as np
    import torch
    from scipy.linalg import schur

    t_DD, z_DD = schur(q_DD.double().numpy(), output="real")
    part_DD = z_DD @ _turned(np.asarray(t_DD), amount) @ z_DD.T
    return torch.from_numpy(part_DD).to(q_DD.dtype)


def _turned(t_DD: FloatArray, amount: float) -> FloatArray:
    """T^amount of the real Schur form of an orthogonal matrix: blocks of planes, 1 and -1."""
    import numpy as np

    b_DD, mirrored, i = np.eye(len(t_DD)), [], 0
    while i < len(t_DD):
        if i + 1 < len(t_DD) and abs(t_DD[i + 1, i]) > _ROUNDING:
            sine = t_DD[i + 1, i] - t_DD[i, i + 1]
            angle = np.arctan2(sine, t_DD[i, i] + t_DD[i + 1, i + 1])
            _turn(b_DD, i, i + 1, amount * angle)
            i += 2
            continue
        mirrored += [i] if t_DD[i, i] < 0 else []
        i += 1
    while len(mirrored) > 1:  # two mirrored directions are a plane turned by half a circle
        _turn(b_DD, mirrored.pop(), mirrored.pop(), amount * np.pi)
    for alone in mirrored:
        b_DD[alone, alone] = 1.0 if amount < 0.5 else -1.0
    return b_DD


def _turn(b_DD: FloatArray, i: int, j: int, angle: float | np.floating) -> None:
    import numpy as np

    b_DD[i, i] = b_DD[j, j] = np.cos(angle)
    b_DD[j, i], b_DD[i, j] = np.sin(angle), -np.sin(angle)
