"""text_low_rank, against the PCA of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.decomposition import PCA
from torch.nn import functional as F

from harness.classifiers import text_low_rank

from .inputs import C, D, cell, facts, inputs


@pytest.mark.parametrize("rank", [1, 3, C - 1])
def test_it_is_what_a_pca_of_so_many_components_keeps(text_CD: torch.Tensor, rank: int) -> None:
    t_CD = F.normalize(text_CD.double(), dim=-1).numpy()
    pca = PCA(n_components=rank, svd_solver="full").fit(t_CD)
    expected_CD = pca.inverse_transform(pca.transform(t_CD))
    w_CD = text_low_rank.build(inputs(text_CD), text_low_rank.Options(rank=rank))
    np.testing.assert_allclose(w_CD, expected_CD, atol=1e-6)


def test_differences_between_rows_have_the_rank(text_CD: torch.Tensor) -> None:
    w_CD = text_low_rank.build(inputs(text_CD), text_low_rank.Options(rank=4))
    assert torch.linalg.matrix_rank(w_CD - w_CD[0], rtol=1e-5) == 4


def test_the_full_rank_is_the_text(text_CD: torch.Tensor) -> None:
    w_CD = text_low_rank.build(inputs(text_CD), text_low_rank.Options(rank=C - 1))
    torch.testing.assert_close(w_CD, F.normalize(text_CD, dim=-1))


def test_ranks_that_there_are() -> None:
    assert text_low_rank.check(cell("text_low_rank", rank=C - 1), facts()) is None
    reason = text_low_rank.check(cell("text_low_rank", rank=C), facts())
    assert reason == "12 texts differ in 11 directions: rank 12 is more"
    many = text_low_rank.check(cell("text_low_rank", rank=D + 1), facts(n_classes=100))
    assert many == "100 texts differ in 32 directions: rank 33 is more"


@pytest.mark.parametrize("options", [{}, {"rank": 0}, {"rank": 1.5}])
def test_options_that_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        text_low_rank.Options(**options)
