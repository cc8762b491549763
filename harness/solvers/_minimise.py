"""Limited-memory BFGS (Nocedal 1980) with a given inverse Hessian to begin from.

Written here because scipy's has no such matrix, and with that of the softmax it needs a fraction of
the evaluations, which are the whole cost.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    Objective = Callable[[torch.Tensor], tuple[float, torch.Tensor]]
    Precondition = Callable[[torch.Tensor], torch.Tensor]
    #: From a point along a direction: a lower one, or None, and the evaluations that it took.
    Step = Callable[["Point", torch.Tensor], tuple["Point | None", int]]

#: Pairs of steps and gradient changes that are kept.
MEMORY = 10
#: A step must lower the objective by this share of what the slope promises (Armijo).
ENOUGH = 1e-4
#: Near the optimum the objective's own rounding hides the decrease; within this share of it, a
#: smaller slope is taken instead (Hager and Zhang 2005).
ROUNDING = 1e-6
#: Shorter steps than this share of a full one find nothing.
SHORTEST = 1e-6


@dataclass(frozen=True)
class Point:
    """x as one vector, and the objective there."""

    x: torch.Tensor
    value: float
    gradient: torch.Tensor


@dataclass(frozen=True)
class Minimum:
    """Where the search ended."""

    x: torch.Tensor
    value: float
    gradient_norm: float
    evaluations: int
    converged: bool
    stuck: bool = False  # no step along the direction lowers the objective


@dataclass
class _Memory:
    """The inverse Hessian as the last steps show it."""

    precondition: Precondition
    pairs: deque[tuple[torch.Tensor, torch.Tensor, float]] = field(
        default_factory=lambda: deque(maxlen=MEMORY)
    )
    scale: float = 1.0

    def add(self, step: torch.Tensor, change: torch.Tensor) -> None:
        """A step and how the gradient changed over it."""
        curvature = dot(step, change)
        if curvature <= 0:
            return  # a convex objective has none such, but rounding does
        self.pairs.append((step, change, 1 / curvature))
        self.scale = curvature / dot(change, self.precondition(change))

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        """Minus the inverse Hessian times the gradient, by the two-loop recursion."""
        q, weights = gradient.clone(), []
        for step, change, rho in reversed(self.pairs):
            weight = rho * dot(step, q)
            weights.append(weight)
            q.sub_(change, alpha=weight)
        q = self.precondition(q).mul_(self.scale)
        for (step, change, rho), weight in zip(self.pairs, reversed(weights), strict=True):
            q.add_(step, alpha=weight - rho * dot(change, q))
        return q.neg_()


def minimise(
    point: Point,
    step: Step,
    precondition: Precondition,
    *,
    converged: Callable[[float, float], bool],
    most: int,
    interrupted: Callable[[], bool] = lambda: False,
) -> Minimum:
    """From a point until `converged(value, gradient norm)`, or no step helps, or `most`
    evaluations.

    Raises KeyboardInterrupt if asked to stop.
    """
    memory, evaluations = _Memory(precondition), 0
    while True:
        norm = math.sqrt(dot(point.gradient, point.gradient))
        done = converged(point.value, norm)
        if done or evaluations >= most:
            return Minimum(point.x, point.value, norm, evaluations, done)
        if interrupted():
            raise KeyboardInterrupt
        other, took = step(point, memory.direction(point.gradient))
        evaluations += took
        if other is None:
            return Minimum(point.x, point.value, norm, evaluations, converged=False, stuck=True)
        memory.add(other.x - point.x, other.gradient - point.gradient)
        point = other


def backtrack(
    objective: Objective, point: Point, direction: torch.Tensor
) -> tuple[Point | None, int]:
    """A step that lowers the objective enough, an evaluation for each that is tried; the full one
    at first.
    """
    value, slope, length = point.value, dot(point.gradient, direction), 1.0
    evaluations = 0
    while length > SHORTEST and slope < 0:
        x = point.x + length * direction
        other, gradient = objective(x)
        evaluations += 1
        other_slope = dot(gradient, direction)
        lower = other <= value + ENOUGH * length * slope
        flatter = other <= value * (1 + ROUNDING) and abs(other_slope) <= 0.9 * abs(slope)
        if lower or flatter:
            return Point(x, other, gradient), evaluations
        length = shorter(length, value, slope, other, other_slope)
    return None, evaluations


def shorter(length: float, value: float, slope: float, other: float, other_slope: float) -> float:
    """The minimum of the cubic through both values and slopes, within a tenth and a half."""
    if not (math.isfinite(other) and math.isfinite(other_slope)):
        return length / 10
    a = slope + other_slope - 3 * (other - value) / length
    root = a * a - slope * other_slope
    if root < 0:
        return length / 2
    b = math.sqrt(root)
    best = length - length * (other_slope + b - a) / (other_slope - slope + 2 * b)
    return min(max(best, length / 10), length / 2)


def dot(a: torch.Tensor, b: torch.Tensor) -> float:
    import torch

    return torch.dot(a.flatten(), b.flatten()).item()
