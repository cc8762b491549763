"""Steps of the search with the logits kept: against plain evaluations of the objective."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from harness.solvers import _plane
from harness.solvers._kept import KeptLogits
from harness.solvers._plane import Plane
from harness.solvers._softmax import Softmax
from solvers.heads import features

CPU = torch.device("cpu")


def kept(bias: bool = True, l2: float = 1e-2) -> KeptLogits:
    z_ND, y_N = features()
    z_ND = (z_ND - z_ND.mean(dim=0)).double()

    def blocks(dtype: torch.dtype) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        yield z_ND.to(dtype), y_N

    objective = Softmax(blocks, len(z_ND), 6, z_ND.shape[1], l2, bias, torch.float64)
    return KeptLogits(objective, z_ND, y_N)


def somewhere(of: KeptLogits, seed: int = 0) -> torch.Tensor:
    x = 0.2 * torch.randn(6 * 21, generator=torch.Generator().manual_seed(seed)).double()
    if not of.objective.has_bias:
        of.objective.parts(x)[1].zero_()
    return x


@pytest.mark.parametrize("bias", [True, False])
def test_a_step_ends_lower_with_the_value_and_gradient_of_its_point(bias: bool) -> None:
    search = kept(bias)
    for point in (search.at_zero(CPU), search.at(somewhere(search))):
        here = search.at(point.x)
        torch.testing.assert_close(here.gradient, point.gradient)
        other, evaluations = search.step(here, -here.gradient)
        assert evaluations == 1
        assert other is not None
        assert other.value < here.value
        value, gradient = search.objective(other.x)
        assert other.value == pytest.approx(value, rel=1e-12)
        torch.testing.assert_close(other.gradient, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_a_step_leaves_little_to_gain_in_the_plane(
    monkeypatch: pytest.MonkeyPatch, bias: bool
) -> None:
    monkeypatch.setattr(_plane, "POINTS", 20)
    search = kept(bias)
    here = search.at(somewhere(search))
    direction = -here.gradient
    other, _ = search.step(here, direction)
    assert other is not None
    slopes = [
        (float(other.gradient @ along), float(here.gradient @ along))
        for along in (direction, here.x)
    ]
    assert all(abs(after) < 0.02 * abs(before) for after, before in slopes)
    after_C, before_C = (search.objective.parts(p.gradient)[1] for p in (other, here))
    assert after_C.norm() <= 0.02 * before_C.norm()


def test_slopes_and_newton_steps_are_those_of_the_objective() -> None:
    search = kept()
    here = search.at(somewhere(search))
    direction = somewhere(search, seed=1)
    search._logits(direction, search.along_CN)
    plane = Plane.of(search, here, direction)
    place = plane.at(0.7, 0.4, torch.full((6,), 0.1, dtype=torch.float64))
    x = 0.7 * here.x + 0.4 * direction
    search.objective.parts(x)[1].add_(0.1)
    value, gradient = search.objective(x)
    assert place.value == pytest.approx(value, rel=1e-12)
    assert place.slopes == pytest.approx((float(gradient @ here.x), float(gradient @ direction)))
    torch.testing.assert_close(place.slope_C, search.objective.parts(gradient)[1])
    assert place.promise > 0


def test_a_probability_below_the_smallest_number_has_its_logarithm() -> None:
    search = kept()
    logits_CN = torch.zeros_like(search.logits_CN)
    logits_CN[0] = 2000.0
    expected = torch.nn.functional.cross_entropy(logits_CN.T, search.true_N // 120)
    assert search.probabilities(logits_CN) == pytest.approx(float(expected))
