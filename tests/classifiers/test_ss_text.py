"""ss_text: the formula, class by class."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from harness.classifiers import ss_text

from .inputs import PLAIN, C, D, K, inputs, support_of


def test_with_equal_classes_the_mean_counts_s_k_over_c_times(text_CD: torch.Tensor) -> None:
    given = replace(inputs(text_CD), logit_scale=20.0)
    z_ND, y_N = given.support()
    z_ND = F.normalize(z_ND, dim=-1)
    t_CD = F.normalize(text_CD, dim=-1)
    expected_CD = torch.stack(
        [t_CD[c] + 20.0 * K / C * z_ND[y_N == c].mean(dim=0) for c in range(C)]
    )
    torch.testing.assert_close(ss_text.build(given, PLAIN), expected_CD)


def test_unequal_classes_by_hand() -> None:
    """N = 3, 1, 0 of N = 4: the penalties are 1/3, 1 and infinite."""
    text_CD = torch.eye(3, 4)
    z_ND = torch.tensor([[2.0, 0, 0, 0], [0, 5, 0, 0], [0, 0, 0, 3], [0, 0, 0, 7]])
    given = support_of(z_ND, torch.tensor([0, 0, 0, 1]), 3, text_CD)
    w_CD = ss_text.build(replace(given, logit_scale=2.0), PLAIN)
    torch.testing.assert_close(
        w_CD, torch.tensor([[2.5, 1.5, 0, 1.5], [0, 1, 0, 0.5], [0, 0, 1, 0]])
    )


def test_the_penalty_has_a_lower_bound() -> None:
    """2,000 samples of one class count as 1,000 would: 1 / (2000 * 0.001) * 2000."""
    text_CD, y_N = torch.eye(1, D), torch.zeros(2000, dtype=torch.long)
    given = support_of(torch.eye(1, D).repeat(2000, 1), y_N, 1, text_CD)
    torch.testing.assert_close(ss_text.build(given, PLAIN), 1001.0 * text_CD)
