"""Multinomial logistic regression to its optimum: a linear head on frozen features.

Minimises mean CE + (l2/2)|W|^2 with b free, which is scikit-learn's LogisticRegression with
C = 1/(N l2). The objective is convex: it has one optimum, and where W starts plays no part, so
every initialisation has the same result. It begins from W = 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.core.protocols.solver import Problem, Solution
from harness.solvers._kept import Evaluated, KeptLogits, fits
from harness.solvers._linear import BLOCK, LinearProblem, solution, trains_a_head
from harness.solvers._minimise import Minimum, minimise
from harness.solvers._softmax import FlatHessian, MeanHessian, Softmax, parts

if TYPE_CHECKING:
    import torch

CONVEX = True
READS = ("l2", "deterministic")
#: The objective is at most this share of itself above its minimum: where it curves by at least m it
#: is at most |gradient|^2 / (2 m) above it. m is l2 for W, and taken as a quarter of the mean
#: curvature for b, as rare classes curve less.
GAP = 1e-4
#: Evaluations of the objective in each precision.
MOST = 1000
#: Evaluations between two computations of the curvature, which costs about four.
ROUND = 25


def accepts(cells: Sequence[Cell]) -> bool:
    """One linear head on frozen features."""
    return trains_a_head(cells)


def solve(problems: Sequence[Problem]) -> list[Solution]:
    """Raises CellError without a strength, KeyboardInterrupt if asked to stop."""
    return [_solve(LinearProblem.of(problem)) for problem in problems]


def _solve(linear: LinearProblem) -> Solution:
    """In float32, and further in float64 where its rounding ends the search before the optimum."""
    import torch

    centred = _Centred.of(linear)
    found = _minimum(centred, torch.float32, None)
    evaluations, precision = found.evaluations, "float32"
    if not found.converged:
        found = _minimum(centred, torch.float64, found.x.double())
        evaluations, precision = evaluations + found.evaluations, "float64"
    linear.put(*centred.original(found.x))
    facts = {
        "objective": found.value,
        "gradient_norm": found.gradient_norm,
        "evaluations": evaluations,
        "precision": precision,
    }
    return solution(evaluations, facts, () if found.converged else (_not_converged(found),))


def _not_converged(found: Minimum) -> str:
    return (
        f"lbfgs stopped before the optimum: after {found.evaluations} evaluations the gradient "
        f"norm is {found.gradient_norm:.2g}. A larger recipe.l2 is easier to solve."
    )


def _minimum(centred: _Centred, dtype: torch.dtype, x: torch.Tensor | None) -> Minimum:
    """From x, or from W = 0."""
    linear = centred.linear
    n_classes, _ = linear.shape
    device = linear.problem.model.device
    objective = Softmax(
        centred.blocks, linear.n, n_classes, centred.width, linear.l2, linear.has_bias, dtype
    )
    path = _path(objective)
    search = partial(minimise, step=path.step, interrupted=linear.problem.watch.interrupted)
    flat = FlatHessian.at_zero(objective, device) if x is None else None
    point = path.at_zero(device) if x is None else path.at(x)
    evaluations, hessian = int(x is not None), flat or MeanHessian.at(objective, point.x)
    while True:
        near = partial(_near, _curvature(linear, hessian.of_b))
        found = search(point, precondition=hessian, converged=near, most=ROUND)
        evaluations += found.evaluations
        ended = found.converged or found.stuck or evaluations >= MOST
        if ended:
            return replace(found, evaluations=evaluations)
        # Samples that are classified well curve no more, so an old one misleads.
        point, hessian = path.at(found.x), MeanHessian.at(objective, found.x)
        evaluations += 1


def _path(objective: Softmax) -> KeptLogits | Evaluated:
    """With kept logits where there is one block of samples and they fit: 26 ms in place of 65 for
    512 features, 100 classes and 16 shots, at the same GAP.
    """
    if objective.n > BLOCK or not fits(objective):
        return Evaluated(objective)
    ((z_ND, y_N),) = objective.blocks(objective.dtype)
    return KeptLogits(objective, z_ND, y_N)


def _curvature(linear: LinearProblem, inverse_of_b: float) -> float:
    """m, see GAP."""
    return min(linear.l2, 1 / (4 * inverse_of_b)) if linear.has_bias else linear.l2


def _near(curvature: float, value: float, norm: float) -> bool:
    return norm**2 / (2 * curvature) <= GAP * value


class _Centred:
    """The samples without their mean, which the bias takes up, in as few dimensions as they span.

    With fewer samples than features every row of the optimum is a combination of samples
    (representer theorem), so the problem is solved in those coordinates.
    """

    def __init__(self, linear: LinearProblem, mean_D: torch.Tensor) -> None:
        import torch

        self.linear, self._mean_D = linear, mean_D
        self._basis_DN: torch.Tensor | None = None
        self._kept: dict[torch.dtype, tuple[torch.Tensor, torch.Tensor]] = {}
        _, self.width = linear.shape
        if linear.n < self.width:
            ((z_ND, y_N),) = linear.blocks(torch.float64)
            self._basis_DN, r_NN = torch.linalg.qr((z_ND - mean_D).T)
            self._kept[torch.float64] = (r_NN.T.contiguous(), y_N)
            self.width = r_NN.shape[0]

    @classmethod
    def of(cls, linear: LinearProblem) -> _Centred:
        """Any centre gives the same optimum, so that the mean need not be exact: float32 does, and
        the samples are read once where they are one block.
        """
        import torch

        blocks = linear.blocks(torch.float32)
        if linear.n > BLOCK:
            sum_D = sum((z_BD.sum(dim=0).double() for z_BD, _ in blocks), torch.zeros(()))
            return cls(linear, sum_D / linear.n * linear.has_bias)
        ((z_ND, y_N),) = blocks
        mean_D = z_ND.mean(dim=0) * linear.has_bias
        centred = cls(linear, mean_D.double())
        if linear.n >= linear.shape[1]:
            centred._kept[torch.float32] = (z_ND - mean_D, y_N)
        return centred

    def blocks(self, dtype: torch.dtype) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(z_BD, y_B); kept between calls where all samples are one block."""
        import torch

        if dtype not in self._kept and self._basis_DN is not None:
            z_BD, y_B = self._kept[torch.float64]
            self._kept[dtype] = (z_BD.to(dtype), y_B)
        if dtype in self._kept:
            yield self._kept[dtype]
            return
        mean_D = self._mean_D.to(dtype)
        for z_BD, y_B in self.linear.blocks(dtype):
            block = (z_BD - mean_D, y_B)
            if self.linear.n <= BLOCK:
                self._kept[dtype] = block
            yield block

    def original(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(w_CD, b_C) for the samples as they are."""
        w_CD, b_C = parts(x.double(), self.linear.shape[0])
        if self._basis_DN is not None:
            w_CD = w_CD @ self._basis_DN.T
        return w_CD, b_C - w_CD @ self._mean_D
