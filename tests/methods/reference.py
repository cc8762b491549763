"""AdamW written out (Loshchilov and Hutter 2019), for the reference loops of trained methods."""

from __future__ import annotations

import torch

B1, B2 = 0.9, 0.999


class AdamW:
    """One tensor; `step` gives its next value."""

    def __init__(self, decay: float, eps: float) -> None:
        self.decay, self.eps, self.t = decay, eps, 0
        self.m: torch.Tensor | float = 0.0
        self.v: torch.Tensor | float = 0.0

    def step(self, w: torch.Tensor, g: torch.Tensor, lr: float) -> torch.Tensor:
        self.t += 1
        self.m = B1 * self.m + (1 - B1) * g
        self.v = B2 * self.v + (1 - B2) * g * g
        m, v = self.m / (1 - B1**self.t), self.v / (1 - B2**self.t)
        return w - lr * self.decay * w - lr * m / (torch.as_tensor(v).sqrt() + self.eps)
