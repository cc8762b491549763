"""gda, by the formula of the published code, and in direction lda."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from harness.classifiers import gda, lda

from .inputs import C, D, K, cell, facts, inputs


def test_it_is_the_formula(text_CD: torch.Tensor) -> None:
    """Omega = D pinv((n - 1) S + tr(S) I) with the covariance S that torch.cov gives."""
    given = inputs(text_CD)
    z_ND, y_N = given.support()
    z_ND = F.normalize(z_ND, dim=-1).double()
    mean_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(C)])
    cov_DD = torch.cov((z_ND - mean_CD[y_N]).T).numpy()
    omega_DD = D * np.linalg.pinv((C * K - 1) * cov_DD + np.trace(cov_DD) * np.eye(D))
    np.testing.assert_allclose(
        gda.build(given, gda.Options()), mean_CD.numpy() @ omega_DD, rtol=1e-4
    )


def test_its_directions_are_those_of_lda(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    w_CD, other_CD = gda.build(given, gda.Options()), lda.build(given, lda.Options())
    torch.testing.assert_close(F.normalize(w_CD, dim=-1), F.normalize(other_CD, dim=-1))


def test_one_shot_needs_the_total_covariance() -> None:
    reason = gda.check(cell("gda", shots=1), facts(per_class=1))
    assert reason is not None
    assert "covariance: total" in reason
    assert gda.check(cell("gda", shots=1, covariance="total"), facts(per_class=1)) is None
