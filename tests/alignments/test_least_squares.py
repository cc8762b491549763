"""least_squares: the texts of the training classes go to the class means."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from harness.alignments import least_squares
from harness.core.protocols.alignment import AlignmentInputs

from .inputs import NONE, C, D, E, inputs


def class_means(given: AlignmentInputs) -> torch.Tensor:
    _, support_ND, labels_N = given.fitted_on()
    return torch.stack([F.normalize(support_ND)[labels_N == c].mean(dim=0) for c in range(C)])


def test_few_classes_meet_their_means_exactly() -> None:
    given = inputs()
    text_CE, _, _ = given.fitted_on()
    fitted_CD = F.normalize(text_CE) @ least_squares.build(given, NONE)
    torch.testing.assert_close(fitted_CD, class_means(given), atol=1e-5, rtol=1e-5)


def test_of_many_classes_no_other_map_is_nearer() -> None:
    """Texts of width 3: what remains is orthogonal to all that a map can reach."""
    given = inputs()
    text_CE, support_ND, labels_N = given.fitted_on()
    narrow = AlignmentInputs(3, D, given.generator, text_CE[:, :3], support_ND, labels_N)
    t_CE = F.normalize(text_CE[:, :3])
    rest_CD = class_means(given) - t_CE @ least_squares.build(narrow, NONE)
    assert rest_CD.norm() > 0.1
    torch.testing.assert_close(t_CE.T @ rest_CD, torch.zeros(3, D), atol=1e-5, rtol=0)


def test_without_texts_or_support_set_it_fails() -> None:
    with pytest.raises(LookupError, match="'text' and 'support'"):
        least_squares.build(AlignmentInputs(E, D, torch.Generator()), NONE)
