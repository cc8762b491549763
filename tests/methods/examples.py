"""What methods are fitted to in these tests: small sets whose classes overlap."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from harness.core.protocols.method import MethodInputs

C, D, SHOTS, VIEWS, TESTED = 5, 12, 4, 3, 40
SCALE = 20.0


def inputs(
    seed: int = 0,
    *,
    dtype: torch.dtype = torch.float64,
    shots: int = SHOTS,
    unbalanced: bool = False,
) -> MethodInputs:
    """Materials of every kind. Labels come in no order; with `unbalanced` class c has c + 1
    samples.
    """
    stream = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=stream, dtype=torch.float64)

    means_CD = normal(C, D)
    counts_C = torch.arange(1, C + 1) if unbalanced else torch.full((C,), shots)
    y_N = torch.arange(C).repeat_interleave(counts_C)
    y_N = y_N[torch.randperm(len(y_N), generator=stream)]
    views_NVD = means_CD[y_N][:, None] + normal(len(y_N), 1, D) + 0.3 * normal(len(y_N), VIEWS, D)
    y_M = torch.arange(C).repeat_interleave(2)
    validation_MD = means_CD[y_M] + normal(len(y_M), D)
    text_CD = means_CD + 0.8 * normal(C, D)
    return MethodInputs(
        n_classes=C,
        dim=D,
        logit_scale=SCALE,
        generator=torch.Generator().manual_seed(seed),
        text_CD=text_CD.to(dtype),
        classifier_CD=F.normalize(text_CD, dim=1).to(dtype),
        support_ND=views_NVD.mean(dim=1).to(dtype),
        labels_N=y_N,
        views_NVD=views_NVD.to(dtype),
        view_labels_N=y_N,
        validation_MD=validation_MD.to(dtype),
        validation_labels_M=y_M,
    )


def samples(seed: int = 100, *, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """z_MD of test samples, of any length."""
    stream = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(TESTED, D, generator=stream, dtype=torch.float64)).to(dtype)


def assert_logits(found_NC: torch.Tensor, expected_NC: torch.Tensor) -> None:
    """float64: to 1e-8 relative; float32: to 1e-5 of the largest logit."""
    if found_NC.dtype == torch.float64:
        torch.testing.assert_close(found_NC, expected_NC, rtol=1e-8, atol=1e-10)
        return
    largest = expected_NC.abs().max().item()
    torch.testing.assert_close(found_NC.double(), expected_NC, rtol=0, atol=1e-5 * largest)
