"""The lowest point of the plane that a point of the search and a direction span.

Logits are linear in x. Where those at the point and those along the direction are known, every
other point of the plane costs a softmax: with 512 features and 100 classes a tenth of an
evaluation. The bias is free there as well. Without it the search needs twice as many steps on such
features, as b curves 100 times as much as the penalty; the point itself beside the direction saves
one step of five.

Letters of shapes: N samples, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.solvers._minimise import ENOUGH, ROUNDING, SHORTEST, Point, dot, shorter

if TYPE_CHECKING:
    import torch

    from harness.solvers._softmax import Softmax

#: The search in a plane ends where it promises less than this share of what it has gained.
REST = 2e-4
#: Newton steps in one plane at most: more cost small problems time, and save no evaluation.
POINTS = 3
#: A full Newton step for the bias changes no logit by more than this.
LARGEST = 1.0


class Logits(Protocol):
    """Those of all samples at the point and along the direction, and room for others."""

    objective: Softmax
    true_N: torch.Tensor  # where the logits of the true classes are
    share_C: torch.Tensor  # of the samples, by class
    logits_CN: torch.Tensor
    along_CN: torch.Tensor
    p_CN: torch.Tensor  # probabilities of the point that was looked at last
    trial_CN: torch.Tensor
    product_CN: torch.Tensor

    def probabilities(self, logits_CN: torch.Tensor) -> float:
        """Put those of the logits into p_CN; the mean cross-entropy."""
        ...


@dataclass(frozen=True)
class _Move:
    """From a point of the plane: shares of x and of the direction, and what is added to b."""

    scale: float
    length: float
    b_C: torch.Tensor


@dataclass(frozen=True)
class _Place(_Move):
    """scale x + length direction, with b_C added to b; what the objective is and does there."""

    value: float
    slopes: tuple[float, float]
    slope_C: torch.Tensor
    newton: _Move
    promise: float  # minus the slope along the Newton step

    def slope(self, move: _Move) -> float:
        of_b = dot(self.slope_C, move.b_C)
        return self.slopes[0] * move.scale + self.slopes[1] * move.length + of_b


def lowest(plane: Plane, value: float) -> _Place | None:
    """By damped Newton steps from x; None where the first of them finds nothing lower."""
    import torch

    here, points = plane.start(value), 0
    rounding = torch.finfo(here.slope_C.dtype).eps * value
    while points < POINTS and (
        points == 0 or here.promise / 2 > max(REST * (value - here.value), rounding)
    ):
        found = _damped(plane, here)
        if found is None and points:  # p_CN is that of a point that was refused
            return plane.at(here.scale, here.length, here.b_C)
        if found is None:
            return None
        here, points = found, points + 1
    return here


def _damped(plane: Plane, here: _Place) -> _Place | None:
    """The Newton step, shortened until the objective is lower there, and does not rise steeply."""
    share, move = 1.0, here.newton
    while share > SHORTEST and here.promise > 0:
        other = plane.at(
            here.scale + share * move.scale,
            here.length + share * move.length,
            here.b_C + share * move.b_C,
        )
        slope = other.slope(move)
        lower = other.value <= here.value - ENOUGH * share * here.promise
        level = other.value <= here.value * (1 + ROUNDING) and slope >= -0.9 * here.promise
        if (lower or level) and slope <= here.promise / 2:
            return other
        share = shorter(share, here.value, -here.promise, other.value, slope)
    return None


@dataclass(frozen=True)
class Plane:
    """Points scale x + length direction, with the bias free. Pairs are of x and the direction."""

    kept: Logits
    logits: tuple[torch.Tensor, torch.Tensor]
    true_N: tuple[torch.Tensor, torch.Tensor]
    products: tuple[tuple[float, float], tuple[float, float]]  # of their W

    @classmethod
    def of(cls, kept: Logits, point: Point, direction: torch.Tensor) -> Plane:
        """With the logits of both."""
        logits = kept.logits_CN, kept.along_CN
        true_N = (logits[0].view(-1)[kept.true_N], logits[1].view(-1)[kept.true_N])
        (w_CD, _), (d_CD, _) = kept.objective.parts(point.x), kept.objective.parts(direction)
        both = dot(w_CD, d_CD)
        products = (dot(w_CD, w_CD), both), (both, dot(d_CD, d_CD))
        return cls(kept, logits, true_N, products)

    def start(self, value: float) -> _Place:
        """The point of the search itself, of which the probabilities are known."""
        return self._place(1.0, 0.0, self.kept.share_C.new_zeros(len(self.kept.share_C)), value)

    def at(self, scale: float, length: float, b_C: torch.Tensor) -> _Place:
        import torch

        trial_CN = torch.mul(self.logits[0], scale, out=self.kept.trial_CN)
        trial_CN.add_(self.logits[1], alpha=length)
        if self.kept.objective.has_bias:
            trial_CN.add_(b_C[:, None])
        (ww, wd), (_, dd) = self.products
        squared = scale * scale * ww + 2 * scale * length * wd + length * length * dd
        value = self.kept.probabilities(trial_CN) + self.kept.objective.l2 / 2 * squared
        return self._place(scale, length, b_C, value)

    def _place(self, scale: float, length: float, b_C: torch.Tensor, value: float) -> _Place:
        """With slopes and curvatures of the probabilities in p_CN."""
        import torch

        kept, n, l2 = self.kept, self.kept.objective.n, self.kept.objective.l2
        p_CN = kept.p_CN
        slopes, means_N, cross_C = [], [], []
        seconds = [[0.0, 0.0], [0.0, 0.0]]
        for j in range(2):
            if self.products[j][j] == 0:  # at W = 0 the point spans nothing
                means_N.append(self.true_N[j])
                cross_C.append(torch.zeros_like(kept.share_C))
                slopes.append(0.0)
                continue
            weighted_CN = torch.mul(p_CN, self.logits[j], out=kept.product_CN)
            mean_N = weighted_CN.sum(dim=0)
            means_N.append(mean_N)
            cross_C.append((weighted_CN.sum(dim=1) - p_CN @ mean_N) / n)
            of_w = l2 * (scale * self.products[0][j] + length * self.products[1][j])
            slopes.append((mean_N - self.true_N[j]).sum().item() / n + of_w)
            for k in range(j + 1):
                second = dot(weighted_CN, self.logits[k]) - dot(mean_N, means_N[k])
                second = max(second, 0.0) if j == k else second  # but for rounding
                seconds[j][k] = seconds[k][j] = second / n + l2 * self.products[j][k]
        mean_C = p_CN.sum(dim=1) / n
        slope_C = (mean_C - kept.share_C) * kept.objective.has_bias
        curvature_C = mean_C * self._spread(mean_C)
        pair = slopes[0], slopes[1]
        newton = _newton(pair, seconds, slope_C, curvature_C, cross_C, kept.objective.has_bias)
        down = slopes[0] * newton.scale + slopes[1] * newton.length + dot(slope_C, newton.b_C)
        return _Place(scale, length, b_C, value, pair, slope_C, newton, -down)

    def _spread(self, mean_C: torch.Tensor) -> float:
        """The Hessian of b is about this times diag(mean_C) - mean_C mean_C^T: so if what samples
        leave to other classes goes to all in proportion, and with two classes of one size.
        """
        p_CN = self.kept.p_CN
        whole = max(1 - dot(mean_C, mean_C), 1e-6)
        return max((1 - dot(p_CN, p_CN) / self.kept.objective.n) / whole, 1e-3)


def _newton(
    slopes: tuple[float, float],
    seconds: list[list[float]],
    slope_C: torch.Tensor,
    curvature_C: torch.Tensor,
    cross_C: list[torch.Tensor],
    has_bias: bool,
) -> _Move:
    """The step to where the slopes vanish: for the pair with b eliminated (Schur complement), where
    the approximate curvature of b allows that, else for the direction and b by themselves.
    """
    import torch

    floor_C = curvature_C.clamp_min(torch.finfo(curvature_C.dtype).tiny)
    if has_bias:
        ratio_C = [cross / floor_C for cross in cross_C]
        g0, g1 = (s - dot(r, slope_C) for s, r in zip(slopes, ratio_C, strict=True))
        h00, h01, h11 = (
            seconds[j][k] - dot(ratio_C[j], cross_C[k]) for j, k in ((0, 0), (0, 1), (1, 1))
        )
    else:
        (g0, g1), (h00, h01, h11) = slopes, (seconds[0][0], seconds[0][1], seconds[1][1])
    determinant = h00 * h11 - h01 * h01
    if h00 > 0 and h11 > 0 and determinant > 1e-6 * h00 * h11:
        scale, length = (h01 * g1 - h11 * g0) / determinant, (h01 * g0 - h00 * g1) / determinant
        rest_C = slope_C + scale * cross_C[0] + length * cross_C[1]
    else:  # at W = 0 x spans nothing
        scale, length, rest_C = 0.0, -slopes[1] / seconds[1][1], slope_C
    b_C = -(rest_C / floor_C).clamp_(-LARGEST, LARGEST) * has_bias
    return _Move(scale, length, b_C - b_C.mean())  # the same for all classes changes nothing
