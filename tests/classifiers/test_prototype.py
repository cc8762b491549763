"""prototype: class means of normalised embeddings."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from harness.classifiers import prototype

from .inputs import PLAIN, K, inputs


def test_prototypes_are_means_of_normalised_embeddings(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    w_CD = prototype.build(given, PLAIN)
    z_ND, _ = given.support()
    torch.testing.assert_close(w_CD[2], F.normalize(z_ND[2 * K : 3 * K], dim=-1).mean(dim=0))
