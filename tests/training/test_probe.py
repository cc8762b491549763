"""What a head on frozen features reads: projected, averaged, of length 1, standardised."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from harness.training.model import Projection
from harness.training.probe import FrozenFeatures, Standard

N, V, T, WIDTH, D = 7, 3, 2, 5, 4


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


P_DF, B_D = noise(D, WIDTH), torch.arange(D).float()
PROJECTION = Projection(P_DF, B_D)


def test_the_embedding_and_the_features_of_the_backbone() -> None:
    h_NF = noise(N, WIDTH)
    torch.testing.assert_close(FrozenFeatures(PROJECTION)(h_NF), h_NF @ P_DF.T + B_D)
    assert torch.equal(FrozenFeatures(None)(h_NF), h_NF)


def test_length_1_comes_after_the_mean_over_views() -> None:
    h_NVF = noise(N, V, WIDTH)
    z_ND = FrozenFeatures(None, normalise=True)(h_NVF, views=True)
    torch.testing.assert_close(z_ND, F.normalize(h_NVF.mean(dim=1), dim=-1))


def test_frames_are_averaged_by_the_temporal_module() -> None:
    features = FrozenFeatures(PROJECTION, temporal=lambda z_BTD: z_BTD.mean(dim=1))
    h_NTF = noise(N, T, WIDTH)
    torch.testing.assert_close(features(h_NTF), (h_NTF @ P_DF.T + B_D).mean(dim=1))
    h_NVTF = noise(N, V, T, WIDTH)
    several = features(h_NVTF, views=True)
    torch.testing.assert_close(several, (h_NVTF @ P_DF.T + B_D).mean(dim=(1, 2)))


def test_standardised_over_the_support_set() -> None:
    h_NF = noise(N, WIDTH)
    h_NF[:, 1] = 3.0  # does not vary: it is centred, and not divided by 0
    z_NF = FrozenFeatures(None, standard=Standard.of(h_NF))(h_NF)
    torch.testing.assert_close(z_NF.mean(dim=0), torch.zeros(WIDTH), atol=1e-6, rtol=0)
    expected = torch.ones(WIDTH)
    expected[1] = 0.0
    torch.testing.assert_close(z_NF.std(dim=0, correction=0), expected)
