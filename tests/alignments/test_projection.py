"""projection: lengths and correlations are kept in expectation."""

from __future__ import annotations

import torch

from harness.alignments import projection

from .inputs import NONE, D, E, inputs


def test_the_gram_matrix_is_kept_in_expectation() -> None:
    given = inputs()
    text_CE, _, _ = given.fitted_on()
    maps = [projection.build(given, NONE) for _ in range(400)]
    gram_CC = torch.stack([(text_CE @ m) @ (text_CE @ m).T for m in maps]).mean(dim=0)
    torch.testing.assert_close(gram_CC, text_CE @ text_CE.T, atol=0.6, rtol=0.05)


def test_it_follows_the_seed() -> None:
    first_ED, again_ED, other_ED = (projection.build(inputs(seed), NONE) for seed in (0, 0, 1))
    assert first_ED.shape == (E, D)
    assert torch.equal(first_ED, again_ED)
    assert not torch.allclose(first_ED, other_ED)
