"""The objective of multinomial logistic regression, by blocks of samples.

Letters of shapes: N samples, B samples of a block, C classes, D width of the features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    #: (z_BD, y_B) of all samples in order, in a precision.
    Blocks = Callable[[torch.dtype], Iterator[tuple[torch.Tensor, torch.Tensor]]]


#: The largest curvature of the samples over that of the penalty up to which a Hessian is flat.
FLAT = 10.0
#: Steps of the power method, of which each costs a 25th of an evaluation with 100 classes.
POWERS = 3


@dataclass(frozen=True)
class Softmax:
    """mean_i CE(z_i W^T + b, y_i) + (l2/2)|W|^2. A point x is one vector, W and then b, so that
    both are contiguous: products with a part of a matrix are slower by a quarter. Where there is no
    bias that part stays 0.
    """

    blocks: Blocks
    n: int
    n_classes: int
    width: int
    l2: float
    has_bias: bool
    dtype: torch.dtype

    def start(self, device: torch.device) -> torch.Tensor:
        """W and b of zeros."""
        import torch

        size = self.n_classes * (self.width + 1)
        return torch.zeros(size, dtype=self.dtype, device=device)

    def parts(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(w_CD, b_C) of a point, or of a gradient; views."""
        return parts(x, self.n_classes)

    def __call__(self, x: torch.Tensor) -> tuple[float, torch.Tensor]:
        """The objective at a point, and its gradient."""
        import torch

        w_CD, b_C = self.parts(x)
        gradient, loss = torch.zeros_like(x), 0.0
        g_CD, g_C = self.parts(gradient)
        g_CD.add_(w_CD, alpha=self.l2)
        for z_BD, y_B in self.blocks(self.dtype):
            rows_B = torch.arange(len(y_B), device=x.device)
            log_BC = torch.addmm(b_C, z_BD, w_CD.T).log_softmax(dim=1)
            loss -= log_BC[rows_B, y_B].sum(dtype=torch.float64).item()
            p_BC = log_BC.exp_()
            p_BC[rows_B, y_B] -= 1
            p_BC /= self.n
            g_CD.addmm_(p_BC.T, z_BD)
            if self.has_bias:
                g_C += p_BC.sum(dim=0)
        squared = w_CD.square().sum(dtype=torch.float64).item()
        return loss / self.n + self.l2 / 2 * squared, gradient

    def at_zero(self, device: torch.device) -> tuple[float, torch.Tensor]:
        """The objective at W = 0 and b = 0, and its gradient: sums of samples by class, at a small
        part of the cost of another point.
        """
        import torch

        if device.type != "cpu":  # embedding_bag adds in no fixed order there
            return self(self.start(device))
        gradient = self.start(device)
        g_CD, g_C = self.parts(gradient)
        total_D = torch.zeros_like(g_CD[0])
        for z_BD, y_B in self.blocks(self.dtype):
            g_CD -= sums_by_class(z_BD, y_B, self.n_classes)
            g_C -= y_B.bincount(minlength=self.n_classes)
            total_D += z_BD.sum(dim=0)
        g_CD += total_D / self.n_classes
        g_C += self.n / self.n_classes
        if not self.has_bias:
            g_C.zero_()
        return math.log(self.n_classes), gradient.div_(self.n)


def parts(x: torch.Tensor, n_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(w_CD, b_C) of a point; views."""
    return x[:-n_classes].view(n_classes, -1), x[-n_classes:]


def sums_by_class(z_BD: torch.Tensor, y_B: torch.Tensor, n_classes: int) -> torch.Tensor:
    """(C, D); in a twentieth of the time of index_add_."""
    import torch
    from torch.nn.functional import embedding_bag

    starts_C = torch.zeros(n_classes, dtype=torch.long)
    starts_C[1:] = y_B.bincount(minlength=n_classes).cumsum(0)[:-1]
    return embedding_bag(y_B.argsort(stable=True), z_BD, starts_C, mode="sum")


@dataclass(frozen=True)
class FlatHessian:
    """The inverse of a Hessian that is about the same in all directions of W.

    That holds at W = 0 where the penalty curves nearly as much as the samples do at most. The
    `MeanHessian` would gain little then, and costs as much as several evaluations.
    """

    of_w: float
    of_b: float
    n_classes: int

    @classmethod
    def at_zero(cls, objective: Softmax, device: torch.device) -> FlatHessian | None:
        """None where the samples curve more than FLAT times as much as the penalty."""
        share = (1 - 1 / objective.n_classes) / objective.n_classes
        most = share * _largest_moment(objective, device)
        if most > FLAT * objective.l2:
            return None
        return cls(1 / (objective.l2 + most / 2), 1 / share, objective.n_classes)

    def __call__(self, g: torch.Tensor) -> torch.Tensor:
        """Times a gradient."""
        out = g * self.of_w
        of_b = slice(-self.n_classes, None)
        out[of_b] = g[of_b] * self.of_b
        return out


def _largest_moment(objective: Softmax, device: torch.device) -> float:
    """The largest eigenvalue of mean_i z_i z_i^T, by the power method from a vector of ones whose
    signs alternate irregularly; from below.
    """
    import torch

    numbers_D = torch.arange(objective.width, dtype=torch.float64, device=device)
    v_D = (numbers_D * numbers_D).sin().to(objective.dtype)
    largest = 0.0
    for _ in range(POWERS):
        v_D = v_D / v_D.norm()
        image_D = torch.zeros_like(v_D)
        for z_BD, _y_B in objective.blocks(objective.dtype):
            image_D += z_BD.T @ (z_BD @ v_D)
        largest, v_D = image_D.norm().item() / objective.n, image_D
        if largest == 0:
            break
    return largest


@dataclass(frozen=True)
class MeanHessian:
    """The inverse of the Hessian at a point, as if all classes had the mean curvature.

    A sample's curvature for class c is p_c (1 - p_c), of which the mean over classes is taken; at
    W = 0, where all classes have the probability 1/C, nothing else is neglected than what the
    probabilities' sum of 1 removes. Gradients that it multiplies are of one scale whatever the
    features' scales are.
    """

    inverse_DD: torch.Tensor
    of_b: float
    n_classes: int

    @classmethod
    def at(cls, objective: Softmax, x: torch.Tensor) -> MeanHessian:
        """From second moments of the samples with their curvatures as weights."""
        import torch

        width, dtype = objective.width, objective.dtype
        hessian_DD = torch.zeros(width, width, dtype=torch.float64, device=x.device)
        (w_CD, b_C), total = objective.parts(x), 0.0
        for z_BD, _ in objective.blocks(dtype):
            p_BC = torch.addmm(b_C, z_BD, w_CD.T).softmax(dim=1)
            curvature_B = (1 - p_BC.square().sum(dim=1)).clamp_min(0) / objective.n_classes
            weighted_BD = z_BD * curvature_B.sqrt()[:, None]
            hessian_DD += weighted_BD.T @ weighted_BD
            total += curvature_B.sum(dtype=torch.float64).item()
        hessian_DD /= objective.n
        # Rounding may leave an eigenvalue below 0 where l2 is tiny beside the largest one.
        least = 10 * torch.finfo(dtype).eps * hessian_DD.diagonal().max().item()
        hessian_DD.diagonal().add_(max(objective.l2, least))
        inverse_DD = torch.cholesky_inverse(torch.linalg.cholesky(hessian_DD))
        # b has no penalty: where nothing curves any more its step must still be a finite one.
        flattest = min(objective.l2, 1e-3 / objective.n_classes)
        of_b = 1 / max(total / objective.n, flattest)
        return cls(inverse_DD.to(dtype), of_b, objective.n_classes)

    def __call__(self, g: torch.Tensor) -> torch.Tensor:
        """Times a gradient."""
        import torch

        out = torch.empty_like(g)
        (g_CD, g_C), (out_CD, out_C) = (parts(t, self.n_classes) for t in (g, out))
        torch.mm(g_CD, self.inverse_DD, out=out_CD)
        torch.mul(g_C, self.of_b, out=out_C)
        return out
