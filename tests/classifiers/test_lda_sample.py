"""lda_sample: the discriminant on a sample that the seed draws."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from harness.classifiers import lda, lda_sample
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import C, D, K, cell, facts, inputs


def given(text_CD: torch.Tensor, seed: int = 0) -> ClassifierInputs:
    z_ND, y_N = inputs(text_CD).support()
    return ClassifierInputs(C, D, torch.Generator().manual_seed(seed), None, z_ND, y_N)


def test_it_is_lda_on_the_samples_that_the_stream_draws(text_CD: torch.Tensor) -> None:
    """K - 1 of the K samples of every class: the one that is left out is found by trying all."""
    z_ND, y_N = given(text_CD).support()
    options = lda_sample.Options(per_class=K - 1, shrinkage=0.1)
    found_CD = lda_sample.build(given(text_CD), options)
    stream = torch.Generator().manual_seed(0)
    kept = []
    for c in range(C):
        own = torch.nonzero(y_N == c).flatten().tolist()
        order = torch.randperm(K, generator=stream).tolist()
        kept += sorted(own[i] for i in order[: K - 1])
    sample = ClassifierInputs(C, D, stream, None, z_ND[kept], y_N[kept])
    expected_CD = lda.build(sample, lda.Options(shrinkage=0.1))
    torch.testing.assert_close(found_CD, expected_CD)


def test_seeds_draw_other_samples(text_CD: torch.Tensor) -> None:
    options = lda_sample.Options(per_class=2, shrinkage=0.1)
    one, same, other = (lda_sample.build(given(text_CD, s), options) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_class_of_fewer_samples_takes_part_with_all(text_CD: torch.Tensor) -> None:
    whole = lda_sample.build(given(text_CD), lda_sample.Options(shrinkage=0.1))
    torch.testing.assert_close(whole, lda.build(given(text_CD), lda.Options(shrinkage=0.1)))


def test_the_papers_number_is_the_default() -> None:
    assert lda_sample.Options().per_class == 60
    with pytest.raises(ValidationError):
        lda_sample.Options(per_class=1)


def test_it_needs_two_samples_of_a_class() -> None:
    assert lda_sample.check(cell("lda_sample"), facts()) is None
    few = "the covariance within classes needs 2 samples of a class; covariance: total needs 1"
    assert lda_sample.check(cell("lda_sample", shots=1), facts(per_class=1)) == few
