"""How the search goes on from a point: with the logits of all samples kept, or without.

Letters of shapes: N samples, C classes, D width of the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.solvers._minimise import Point, backtrack, dot
from harness.solvers._plane import Plane, lowest

if TYPE_CHECKING:
    import torch

    from harness.solvers._softmax import Softmax

#: Bytes of the logits up to which they are kept; there are five arrays of their size.
MOST_KEPT = 2**27


class Evaluated:
    """Without logits: an evaluation for each point that is tried."""

    def __init__(self, objective: Softmax) -> None:
        self._objective = objective

    def at_zero(self, device: torch.device) -> Point:
        """W = 0 and b = 0."""
        return Point(self._objective.start(device), *self._objective.at_zero(device))

    def at(self, x: torch.Tensor) -> Point:
        """Another point to begin from."""
        return Point(x, *self._objective(x))

    def step(self, point: Point, direction: torch.Tensor) -> tuple[Point | None, int]:
        """See `minimise`."""
        return backtrack(self._objective, point, direction)


def fits(objective: Softmax) -> bool:
    """Whether the logits of the samples can be kept."""
    return objective.n * objective.n_classes * objective.dtype.itemsize <= MOST_KEPT


class KeptLogits:
    """The objective at the points of a search, with the logits of the last one.

    Logits are (C, N): both products with the samples are faster by a tenth than with (N, C).
    """

    def __init__(self, objective: Softmax, z_ND: torch.Tensor, y_N: torch.Tensor) -> None:
        import torch

        self.objective, self.z_ND = objective, z_ND
        self.true_N = y_N * len(y_N) + torch.arange(len(y_N), device=y_N.device)
        self.share_C = y_N.bincount(minlength=objective.n_classes).to(objective.dtype) / len(y_N)
        shape = objective.n_classes, objective.n
        self.logits_CN, self.along_CN, self.p_CN, self.trial_CN, self.product_CN = (
            torch.empty(shape, dtype=objective.dtype, device=y_N.device) for _ in range(5)
        )

    def at_zero(self, device: torch.device) -> Point:
        """W = 0 and b = 0, for which no product is needed."""
        self.logits_CN.zero_()
        self.p_CN.fill_(1 / self.objective.n_classes)
        value, gradient = self.objective.at_zero(device)
        return Point(self.objective.start(device), value, gradient)

    def at(self, x: torch.Tensor) -> Point:
        """Another point to begin from; its logits have no rounding of earlier steps."""
        self._logits(x, self.logits_CN)
        w_CD, _ = self.objective.parts(x)
        value = self.probabilities(self.logits_CN) + self.objective.l2 / 2 * dot(w_CD, w_CD)
        return Point(x, value, self._gradient(x))

    def step(self, point: Point, direction: torch.Tensor) -> tuple[Point | None, int]:
        """A lower point of the plane of x and the direction, for one evaluation; None where
        rounding hides any.
        """
        self._logits(direction, self.along_CN)
        end = lowest(Plane.of(self, point, direction), point.value)
        if end is None:
            return None, 1
        self.logits_CN.mul_(end.scale).add_(self.along_CN, alpha=end.length)
        x = point.x * end.scale
        x.add_(direction, alpha=end.length)
        if self.objective.has_bias:
            self.logits_CN.add_(end.b_C[:, None])
            self.objective.parts(x)[1].add_(end.b_C)
        return Point(x, end.value, self._gradient(x)), 1

    def probabilities(self, logits_CN: torch.Tensor) -> float:
        """Put those of the logits into p_CN; the mean cross-entropy."""
        import torch

        torch.softmax(logits_CN, dim=0, out=self.p_CN)
        p_N = self.p_CN.view(-1)[self.true_N]
        if p_N.min() < torch.finfo(p_N.dtype).tiny:  # its logarithm is not known from p_N
            log_N = logits_CN.log_softmax(dim=0).view(-1)[self.true_N]
        else:
            log_N = p_N.log_()
        return -log_N.sum(dtype=torch.float64).item() / self.objective.n

    def _logits(self, x: torch.Tensor, out_CN: torch.Tensor) -> None:
        import torch

        w_CD, b_C = self.objective.parts(x)
        torch.addmm(b_C[:, None], w_CD, self.z_ND.T, out=out_CN)

    def _gradient(self, x: torch.Tensor) -> torch.Tensor:
        """At x, of which p_CN has the probabilities. They are the same afterwards."""
        import torch

        gradient = torch.empty_like(x)
        (g_CD, g_C), (w_CD, _) = self.objective.parts(gradient), self.objective.parts(x)
        p_N = self.p_CN.view(-1)[self.true_N]
        self.p_CN.view(-1)[self.true_N] = p_N - 1
        torch.mm(self.p_CN, self.z_ND, out=g_CD).div_(self.objective.n)
        g_CD.add_(w_CD, alpha=self.objective.l2)
        torch.sum(self.p_CN, dim=1, out=g_C).div_(self.objective.n)
        if not self.objective.has_bias:
            g_C.zero_()
        self.p_CN.view(-1)[self.true_N] = p_N
        return gradient
