"""What trained methods share: batches, the view of an epoch, learning rates and AdamW.

Random numbers come from a generator on the CPU, whatever the device of the embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def cosine(lr: float, step: int, steps: int) -> float:
    """The learning rate at `step` of `steps`: from lr at step 0 towards 0."""
    return lr / 2 * (1 + math.cos(math.pi * step / steps))


def view_of_epoch(z_NVD: torch.Tensor, epoch: int) -> torch.Tensor:
    """f_ND: view `epoch` mod V of every picture, of length 1."""
    from torch.nn import functional as F

    return F.normalize(z_NVD[:, epoch % z_NVD.shape[1]], dim=1)


def batches(n: int, size: int, epochs: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Row numbers of one epoch after another, each in a new order; the last batch of an epoch may
    be smaller.
    """
    import torch

    for _ in range(epochs):
        yield from torch.randperm(n, generator=generator).split(size)


def batches_of_views(
    z_NVD: torch.Tensor, y_N: torch.Tensor, size: int, epochs: int, generator: torch.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(f_BD, y_B) of the batches of every epoch, which reads its own view of every picture."""
    for epoch in range(epochs):
        f_ND = view_of_epoch(z_NVD, epoch)
        for rows_B in batches(len(f_ND), size, 1, generator):
            yield f_ND[rows_B.to(f_ND.device)], y_N[rows_B.to(y_N.device)]


def endless(n: int, size: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Batches of `size` row numbers from one permutation after another, without an end."""
    import torch

    left = torch.empty(0, dtype=torch.long)
    while True:
        while len(left) < size:
            left = torch.cat([left, torch.randperm(n, generator=generator)])
        yield left[:size]
        left = left[size:]


def train(
    start: Sequence[torch.Tensor],
    read: Iterable[tuple[torch.Tensor, torch.Tensor]],
    loss_of: Callable[[Sequence[torch.Tensor], torch.Tensor, torch.Tensor], torch.Tensor],
    rate: Callable[[int], float],
    *,
    weight_decay: float,
    eps: float = 1e-8,
) -> tuple[list[torch.Tensor], float, int]:
    """AdamW: a step for each (x_BD, y_B) that is read, by loss_of(weights, x_BD, y_B), with the
    learning rate rate(step).

    Returns the weights without a graph, the last loss and the number of steps.
    """
    import torch

    weights = [w.detach().clone().requires_grad_() for w in start]
    optimiser = torch.optim.AdamW(weights, lr=0.0, eps=eps, weight_decay=weight_decay)
    last, steps = math.nan, 0
    with torch.enable_grad():
        for x_BD, y_B in read:
            optimiser.param_groups[0]["lr"] = rate(steps)
            optimiser.zero_grad()
            loss = loss_of(weights, x_BD, y_B)
            loss.backward()
            optimiser.step()
            last, steps = float(loss.detach()), steps + 1
    return [w.detach() for w in weights], last, steps
