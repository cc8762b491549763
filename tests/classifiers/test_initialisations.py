"""Each initialisation against what its equation says, and LDA against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.nn import functional as F

from harness.classifiers import (
    gram_matched,
    lda,
    orthogonal,
    prototype,
    random,
    text,
    text_rotated,
    text_shuffled,
)
from harness.classifiers._options import Options
from harness.core import registry
from harness.core.cells import Cell, Choice
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.classifier import ClassifierInputs

C, D, K = 12, 32, 5


@pytest.fixture(name="text_CD")
def text_of_classes() -> torch.Tensor:
    return torch.randn(C, D, generator=torch.Generator().manual_seed(7)) + 0.5


def inputs(text_CD: torch.Tensor, seed: int = 0) -> ClassifierInputs:
    noise = torch.Generator().manual_seed(seed + 100)
    y_N = torch.arange(C).repeat_interleave(K)
    z_ND = text_CD[y_N] + 0.3 * torch.randn(C * K, D, generator=noise)
    generator = torch.Generator().manual_seed(seed)
    return ClassifierInputs(C, D, generator, text_CD, z_ND, y_N)


def gram(w_CD: torch.Tensor) -> torch.Tensor:
    w_CD = F.normalize(w_CD, dim=-1)
    return w_CD @ w_CD.T


def test_text_is_the_text(text_CD: torch.Tensor) -> None:
    assert torch.equal(text.build(inputs(text_CD), Options()), text_CD)


def test_random_is_standard_normal_and_follows_the_seed() -> None:
    large = ClassifierInputs(500, 200, torch.Generator().manual_seed(0))
    w_CD = random.build(large, Options())
    assert abs(float(w_CD.mean())) < 0.01
    assert abs(float(w_CD.std()) - 1) < 0.01
    again = ClassifierInputs(500, 200, torch.Generator().manual_seed(0))
    assert torch.equal(w_CD, random.build(again, Options()))


def test_orthogonal_rows(text_CD: torch.Tensor) -> None:
    w_CD = orthogonal.build(inputs(text_CD), Options())
    assert w_CD.shape == (C, D)
    torch.testing.assert_close(w_CD @ w_CD.T, torch.eye(C), atol=1e-5, rtol=0)


def test_rotated_text_keeps_its_correlations_and_loses_its_directions(
    text_CD: torch.Tensor,
) -> None:
    w_CD = text_rotated.build(inputs(text_CD), Options())
    torch.testing.assert_close(gram(w_CD), gram(text_CD), atol=1e-5, rtol=0)
    assert F.cosine_similarity(w_CD, text_CD).abs().mean() < 0.4


def test_one_seed_rotates_all_classes_alike(text_CD: torch.Tensor) -> None:
    # Zero-shot replaces the classes after training: both sets must turn the same way.
    few = ClassifierInputs(3, D, torch.Generator().manual_seed(0), text_CD[:3])
    all_of_them = text_rotated.build(inputs(text_CD), Options())
    torch.testing.assert_close(text_rotated.build(few, Options()), all_of_them[:3])


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_text_is_the_text_and_no_class_keeps_its_own(
    text_CD: torch.Tensor, seed: int
) -> None:
    w_CD = text_shuffled.build(inputs(text_CD, seed), Options())
    same_CC = (w_CD[:, None] == text_CD[None]).all(dim=-1)
    assert same_CC.sum(dim=0).eq(1).all()
    assert not same_CC.diagonal().any()


def test_gram_matched_has_the_correlations_of_text_near_the_random_draw(
    text_CD: torch.Tensor,
) -> None:
    w_CD = gram_matched.build(inputs(text_CD), Options())
    torch.testing.assert_close(gram(w_CD), gram(text_CD), atol=1e-5, rtol=0)
    r_CD = random.build(inputs(text_CD), Options())
    best = float((w_CD - r_CD).norm())
    for seed in range(20):  # no other matrix with that Gram is nearer
        q_DD = torch.linalg.qr(torch.randn(D, D, generator=torch.Generator().manual_seed(seed))).Q
        assert float((w_CD @ q_DD - r_CD).norm()) >= best - 1e-4


def test_prototypes_are_means_of_normalised_embeddings(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    w_CD = prototype.build(given, Options())
    z_ND, _ = given.support()
    torch.testing.assert_close(w_CD[2], F.normalize(z_ND[2 * K : 3 * K], dim=-1).mean(dim=0))


@pytest.mark.parametrize("shrinkage", [0.1, 0.5, None])
def test_lda_is_that_of_scikit_learn(text_CD: torch.Tensor, shrinkage: float | None) -> None:
    given = inputs(text_CD)
    w_CD = lda.build(given, lda.Options(shrinkage=shrinkage))
    z_ND, y_N = given.support()
    used = D / (D + C * K - 1) if shrinkage is None else shrinkage
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=used)
    oracle.fit(F.normalize(z_ND, dim=-1).double().numpy(), y_N.numpy())
    np.testing.assert_allclose(w_CD.numpy(), oracle.coef_, rtol=1e-3, atol=1e-4)


def test_the_default_shrinkage_is_the_inverse_that_few_shot_work_uses(
    text_CD: torch.Tensor,
) -> None:
    given = inputs(text_CD)
    z_ND, y_N = given.support()
    z_ND = F.normalize(z_ND, dim=-1).double()
    mean_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(C)])
    n = C * K
    centred_ND = z_ND - mean_CD[y_N]
    cov_DD = centred_ND.T @ centred_ND / n
    eye_DD = torch.eye(D, dtype=torch.float64)
    inverse_DD = D * torch.linalg.pinv((n - 1) * cov_DD + cov_DD.trace() * eye_DD)
    expected_CD = F.normalize(mean_CD @ inverse_DD, dim=-1).float()
    w_CD = F.normalize(lda.build(given, lda.Options()), dim=-1)
    torch.testing.assert_close(w_CD, expected_CD, atol=1e-5, rtol=1e-4)


def test_lda_per_class_looks_at_the_first_samples_only(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    z_ND, y_N = given.support()
    first = torch.cat([torch.arange(c * K, c * K + 2) for c in range(C)])
    small = ClassifierInputs(C, D, given.generator, None, z_ND[first], y_N[first])
    expected_CD = lda.build(small, lda.Options())
    torch.testing.assert_close(lda.build(given, lda.Options(per_class=2)), expected_CD)


def test_asking_for_what_was_not_declared_fails(text_CD: torch.Tensor) -> None:
    bare = ClassifierInputs(C, D, torch.Generator())
    with pytest.raises(LookupError, match="text"):
        bare.text()
    with pytest.raises(LookupError, match="support"):
        bare.support()


def facts(**changes: int | None) -> CellFacts:
    encoder = EncoderFacts("w", "b", D, 64, 224, 20.0, text_dim=changes.get("text_dim", D))
    return CellFacts(changes.get("n_classes") or C, changes.get("per_class", K), encoder)


def cell(name: str, **changes: object) -> Cell:
    given = {"regime": "few_shot", "shots": 2} | changes
    return Cell(Choice("emoji"), encoder=Choice("x"), classifier=Choice(name), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "cell_changes", "fact_changes", "reason"),
    [
        ("lda", {"shots": 1}, {}, "2 samples"),
        ("lda", {"regime": "full", "shots": None}, {"per_class": 1}, "2 samples"),
        ("lda", {"regime": "zero_shot", "shots": None}, {}, "zero-shot"),
        ("prototype", {"regime": "zero_shot", "shots": None}, {}, "zero-shot"),
        ("orthogonal", {}, {"n_classes": D + 1}, "33 > 32"),
        ("gram_matched", {}, {"n_classes": D + 1}, "33 > 32"),
        ("text", {}, {"text_dim": None}, "no text tower"),
        ("text_shuffled", {}, {"n_classes": 1}, "one class"),
    ],
)
def test_what_cannot_exist_says_why(
    name: str, cell_changes: dict[str, object], fact_changes: dict[str, int | None], reason: str
) -> None:
    found = registry.plugin("classifier", name).check(
        cell(name, **cell_changes), facts(**fact_changes)
    )
    assert reason in found


@pytest.mark.parametrize("name", registry.names("classifier"))
def test_every_initialisation_can_exist_in_an_ordinary_cell(name: str) -> None:
    plugin = registry.plugin("classifier", name)
    assert plugin.check(cell(name), facts()) is None
    assert set(plugin.USES) <= {"text", "support", "seed"}
