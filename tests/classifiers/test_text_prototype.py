"""text_prototype: the mixture, and the weight that validation samples choose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from harness.classifiers import prototype, text_prototype
from harness.classifiers.text_prototype import WEIGHTS, Options
from harness.core.errors import CellError

from .inputs import PLAIN, C, inputs, support_of


def test_the_ends_are_text_and_prototype(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    torch.testing.assert_close(
        text_prototype.build(given, Options(weight=0)), F.normalize(text_CD, dim=-1)
    )
    torch.testing.assert_close(
        text_prototype.build(given, Options(weight=1)),
        F.normalize(prototype.build(given, PLAIN), dim=-1),
    )


def test_the_mixture_by_hand() -> None:
    given = support_of(
        torch.tensor([[0.0, 2.0], [0.0, 9.0]]), torch.tensor([0, 0]), 1, torch.tensor([[4.0, 0.0]])
    )
    w_CD = text_prototype.build(given, Options(weight=0.25))
    torch.testing.assert_close(w_CD, torch.tensor([[0.75, 0.25]]))
    assert Options().weight == 0.5


def at_angles(*degrees: float) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def chosen(*, validation: torch.Tensor, labels: list[int]) -> float:
    """The weight that two classes choose: texts at 0 and 90 degrees, prototypes at 60 and 90."""
    given = replace(
        support_of(at_angles(60, 90), torch.tensor([0, 1]), 2, at_angles(0, 90)),
        validation_MD=validation,
        validation_labels_M=torch.tensor(labels),
    )
    w_CD = text_prototype.build(given, Options(weight="validation"))
    (found,) = [
        weight
        for weight in WEIGHTS
        if torch.allclose(w_CD, text_prototype.build(given, Options(weight=weight)))
    ]
    return found


def test_validation_chooses_the_first_of_the_best() -> None:
    """The row of class 1 stays at 90 degrees, and that of class 0 turns from 0 to 60 with the
    weight: a sample at 50 degrees is nearer to it once it is beyond 10 degrees, and one at 70 once
    it is beyond 50.
    """
    angle = [math.degrees(math.atan2(w * math.sin(math.pi / 3), 1 - w / 2)) for w in WEIGHTS]
    first = next(w for w, a in zip(WEIGHTS, angle, strict=True) if a > 10)
    assert chosen(validation=7 * at_angles(50), labels=[0]) == first
    assert chosen(validation=at_angles(20), labels=[0]) == 0, "all are right"
    assert chosen(validation=at_angles(50, 70), labels=[0, 1]) == first, "later ones lose 70"
    assert chosen(validation=at_angles(70), labels=[0]) == next(
        w for w, a in zip(WEIGHTS, angle, strict=True) if a > 50
    )


def test_validation_is_read_for_that_choice_only(text_CD: torch.Tensor) -> None:
    assert text_prototype.reads_validation({"weight": "validation"})
    assert not text_prototype.reads_validation({"weight": 0.3})
    assert not text_prototype.reads_validation({})
    with pytest.raises(LookupError, match="validation"):
        text_prototype.build(inputs(text_CD), Options(weight="validation"))


def test_a_class_without_samples(text_CD: torch.Tensor) -> None:
    z_ND, y_N = inputs(text_CD).support()
    others = y_N != 3
    with pytest.raises(CellError, match="class number 3"):
        text_prototype.build(support_of(z_ND[others], y_N[others], C, text_CD), Options())


@pytest.mark.parametrize("weight", [-0.1, 1.1, "val", None])
def test_options_that_are_refused(weight: object) -> None:
    with pytest.raises(ValidationError):
        Options(weight=weight)
