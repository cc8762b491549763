"""Ridge regression on the classes: the closed form of a linear head on frozen features.

Minimises mean_i sum_c (z_i w_c + b_c - t_ic)^2 / 2 + (l2/2)|W|^2 with targets t of +1 for the
sample's class and -1 for the others and b free: scikit-learn's RidgeClassifier with alpha = N l2,
and the targets of big_vision's few-shot evaluator. The optimum is unique, and where W starts plays
no part. Its logits are scores, not logarithms of probabilities: NLL and ECE say little of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.core.cells import Cell
from harness.core.protocols.solver import Problem, Solution
from harness.solvers._linear import LinearProblem, solution, trains_a_head
from harness.solvers._softmax import sums_by_class

if TYPE_CHECKING:
    import torch

CONVEX = True
READS = ("l2", "deterministic")
#: Columns of the second moments that are computed together.
STRIPE = 128


class Solved(NamedTuple):
    """W, the mean target of every class, and the norm of the gradient if it is known."""

    w_CD: torch.Tensor
    target_C: torch.Tensor
    gradient_norm: float | None


def accepts(cells: Sequence[Cell]) -> bool:
    """One linear head on frozen features."""
    return trains_a_head(cells)


def solve(problems: Sequence[Problem]) -> list[Solution]:
    """Raises CellError without a strength."""
    return [_solve(LinearProblem.of(problem)) for problem in problems]


def _solve(linear: LinearProblem) -> Solution:
    """In float64, from the normal equations: in the samples where they are fewer than features."""
    mean_D = linear.mean()
    primal = linear.n >= linear.shape[1]
    w_CD, target_C, norm = (_primal if primal else _dual)(linear, mean_D)
    b_C = target_C - w_CD @ mean_D
    linear.put(w_CD, b_C)
    norm = _gradient_norm(linear, w_CD, b_C) if norm is None else norm
    return solution(1, {"gradient_norm": norm, "precision": "float64"})


def _primal(linear: LinearProblem, mean_D: torch.Tensor) -> Solved:
    """From the D x D second moments, of which the gradient at the solution is made as well: from
    the samples it would cost a third of the whole.
    """
    import torch

    n_classes, width = linear.shape
    target_C = _mean_target(linear)
    second_DD = torch.zeros(width, width, dtype=torch.float64, device=mean_D.device)
    first_CD = torch.zeros(n_classes, width, dtype=torch.float64, device=mean_D.device)
    for z_BD, y_B in linear.blocks(torch.float64):
        centred_BD = z_BD - mean_D
        _add_lower(second_DD, centred_BD.T.contiguous())
        first_CD += _moments_with_targets(centred_BD, y_B, target_C)
    second_DD.diagonal().add_(linear.n * linear.l2)
    w_DC = torch.cholesky_solve(first_CD.T, torch.linalg.cholesky(second_DD))
    whole_DD = second_DD.tril() + second_DD.tril(-1).T
    norm = (whole_DD @ w_DC - first_CD.T).norm() / linear.n
    return Solved(w_DC.T, target_C, float(norm))


def _add_lower(second_DD: torch.Tensor, z_DB: torch.Tensor) -> None:
    """Add z z^T below and on the diagonal, which is what a Cholesky factor reads. What lies above
    is of no use: with 512 features this is five eighths of the whole product.
    """
    for start in range(0, len(z_DB), STRIPE):
        columns = slice(start, start + STRIPE)
        second_DD[start:, columns] += z_DB[start:] @ z_DB[columns].T


def _moments_with_targets(
    z_BD: torch.Tensor, y_B: torch.Tensor, target_C: torch.Tensor
) -> torch.Tensor:
    """(C, D): sum_i (t_ic - target_c) z_i, of which all but the own classes' part is one sum."""
    if z_BD.device.type != "cpu":
        return (_targets(y_B, len(target_C)) - target_C).T @ z_BD
    own_CD = sums_by_class(z_BD, y_B, len(target_C))
    return 2 * own_CD - (1 + target_C)[:, None] * z_BD.sum(dim=0)


def _dual(linear: LinearProblem, mean_D: torch.Tensor) -> Solved:
    """The same from the N x N products of samples."""
    import torch

    n_classes, _ = linear.shape
    target_C = _mean_target(linear)
    parts = list(linear.blocks(torch.float64))
    z_ND = torch.cat([z_BD for z_BD, _ in parts]) - mean_D
    t_NC = _targets(torch.cat([y_B for _, y_B in parts]), n_classes) - target_C
    gram_NN = z_ND @ z_ND.T
    gram_NN.diagonal().add_(linear.n * linear.l2)
    w_CD = torch.cholesky_solve(t_NC, torch.linalg.cholesky(gram_NN)).T @ z_ND
    return Solved(w_CD, target_C, None)


def _mean_target(linear: LinearProblem) -> torch.Tensor:
    """target_C over the samples, which b takes up; zeros where there is no b."""
    import torch

    n_classes, _ = linear.shape
    y_N = linear.problem.labels_N
    if not linear.has_bias:
        return torch.zeros(n_classes, dtype=torch.float64, device=y_N.device)
    return 2 * torch.bincount(y_N, minlength=n_classes).double() / linear.n - 1


def _targets(y_B: torch.Tensor, n_classes: int) -> torch.Tensor:
    """(B, C) of +1 and -1."""
    from torch.nn import functional as F

    return 2 * F.one_hot(y_B, n_classes).double() - 1


def _gradient_norm(linear: LinearProblem, w_CD: torch.Tensor, b_C: torch.Tensor) -> float:
    """Of the objective at the solution, from the samples once more."""
    import torch

    gradient_CD, gradient_C = linear.l2 * w_CD, torch.zeros_like(b_C)
    for z_BD, y_B in linear.blocks(torch.float64):
        r_BC = (z_BD @ w_CD.T + b_C - _targets(y_B, len(b_C))) / linear.n
        gradient_CD = gradient_CD + r_BC.T @ z_BD
        gradient_C = gradient_C + r_BC.sum(dim=0)
    squared = gradient_CD.square().sum()
    if linear.has_bias:
        squared = squared + gradient_C.square().sum()
    return float(squared.sqrt())
