"""What stands for support pictures that have views: in training, for classifiers and methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import run_study
from torch.nn import functional as F

from harness.run.build import build_model
from harness.run.initialise import embedded_support, initial_classifier
from harness.run.probe import frozen_features
from harness.run.support_rows import trained_labels
from harness.sampling.support_views import RandomCrop
from harness.training.support_crops import crop_of

from .outside import FEATURES, NAMES, RESOLUTION, Colours, D, ImageTower, task
from .prepared import Prepared, prepared

N, V = 12, 3
VIEWS: dict[str, Any] = {"n": V, "scale": [0.2, 0.6], "flip": True}
USES = ("pool", "mean", "cycle")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def with_views(runs: Path, use: str, **changes: Any) -> Prepared:
    return prepared(runs, support_views=VIEWS | {"use": use}, **changes)


def views_of(p: Prepared) -> torch.Tensor:
    """h_NVF by the encoder alone, in the order of the support set."""
    assert p.cell.support is not None
    data, tower, rows = Colours(), ImageTower(), []
    for item in p.cell.support.items:
        for number in range(V):
            image = data.image(item)
            draw = crop_of(RandomCrop(number, (0.2, 0.6), True), f"colours 1|{item}", image.size)
            rows.append(tower.preprocess(draw(image, RESOLUTION), RESOLUTION))
    with torch.no_grad():
        h_MF: torch.Tensor = tower.features(torch.stack(rows))
    return h_MF.reshape(N, V, FEATURES)


def labels_of(p: Prepared) -> list[int]:
    assert p.cell.support is not None
    return list(p.cell.support.labels)


def source_of(p: Prepared) -> Any:
    return build_model(p.cell, p.recipe, p.resources).model.source


def test_pooled_views_are_samples_with_the_labels_of_their_pictures(tmp_path: Path) -> None:
    p = with_views(tmp_path, "pool")
    h_NVF, source = views_of(p), source_of(p)
    assert len(source) == N * V
    torch.testing.assert_close(source.h_NF, h_NVF.transpose(0, 1).flatten(0, 1))
    assert list(trained_labels(p.cell)) == labels_of(p) * V
    assert not torch.equal(h_NVF[:, 0], h_NVF[:, 1])


def test_the_mean_is_one_sample_a_picture(tmp_path: Path) -> None:
    p = with_views(tmp_path, "mean")
    torch.testing.assert_close(source_of(p).h_NF, views_of(p).mean(dim=1))
    assert list(trained_labels(p.cell)) == labels_of(p)


def test_epoch_e_reads_view_e_mod_n(tmp_path: Path) -> None:
    p = with_views(tmp_path, "cycle")
    h_NVF, source = views_of(p), source_of(p)
    assert list(trained_labels(p.cell)) == labels_of(p)
    for epoch in range(2 * V):
        source.begin_epoch(epoch)
        torch.testing.assert_close(source.h_NF, h_NVF[:, epoch % V])


@pytest.mark.parametrize("use", USES)
def test_classifiers_see_pooled_views_or_the_mean(use: str, tmp_path: Path) -> None:
    p = with_views(tmp_path, use, classifier="prototype")
    h_NVF, weight_DF = views_of(p), ImageTower().projection()[0]
    pooled = use == "pool"
    h_MF = h_NVF.transpose(0, 1).flatten(0, 1) if pooled else h_NVF.mean(dim=1)
    y_M = torch.tensor(labels_of(p) * (V if pooled else 1))
    z_MD, found_M = embedded_support(p.cell, p.resources)
    assert z_MD is not None
    assert found_M is not None
    torch.testing.assert_close(z_MD, h_MF @ weight_DF.T)
    assert torch.equal(found_M, y_M)
    w_CD = initial_classifier(p.cell, NAMES, p.resources)
    assert w_CD is not None
    means_CD = torch.stack([F.normalize(z_MD, dim=-1)[y_M == c].mean(dim=0) for c in range(6)])
    torch.testing.assert_close(F.normalize(w_CD, dim=-1), F.normalize(means_CD, dim=-1))


def test_one_shot_has_a_covariance_within_its_pooled_views(tmp_path: Path) -> None:
    p = with_views(tmp_path, "pool", shots=1, classifier="gda")
    w_CD = initial_classifier(p.cell, NAMES, p.resources)
    z_MD, y_M = embedded_support(p.cell, p.resources)
    assert w_CD is not None
    assert z_MD is not None
    assert y_M is not None
    z_MD = F.normalize(z_MD, dim=-1).double()
    mean_CD = torch.stack([z_MD[y_M == c].mean(dim=0) for c in range(6)])
    centred_MD = z_MD - mean_CD[y_M]
    scatter_DD = centred_MD.T @ centred_MD  # (n - 1) S
    n = len(z_MD)
    assert n == 6 * V
    trace = scatter_DD.trace() / (n - 1)
    omega_DD = D * torch.linalg.pinv(scatter_DD + trace * torch.eye(D, dtype=torch.double))
    torch.testing.assert_close(w_CD, (mean_CD @ omega_DD).float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("use", USES)
def test_features_are_standardised_over_all_that_is_read(use: str, tmp_path: Path) -> None:
    head = {"on": "backbone", "normalise": False, "standardise": True}
    p = with_views(tmp_path, use, paradigm="vision_only", tuning={"head": head}, classifier="zeros")
    h_NVF = views_of(p)
    read_MF = h_NVF.mean(dim=1) if use == "mean" else h_NVF.flatten(0, 1)
    standard = frozen_features(p.cell, p.resources).standard
    assert standard is not None
    torch.testing.assert_close(standard.mean_D, read_MF.mean(dim=0))
    torch.testing.assert_close(standard.std_D, read_MF.std(dim=0, correction=0))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("tuning", ["projection", "head"])
def test_cells_with_views_are_trained(use: str, tuning: str, tmp_path: Path) -> None:
    views = VIEWS | {"use": use}
    ran = run_study(
        task(classifier="prototype", seeds=1, tuning=tuning, support_views=[None, views]), tmp_path
    )
    plain, record = ran.records
    assert record.support == plain.support, "the support set is of the pictures"
    steps = [r.diagnostics["steps"] for r in ran.records]
    assert steps == ([6, 15] if use == "pool" else [6, 6]), "epochs of 12, or 36, by 8"
    assert record.curve[-1]["loss"] != plain.curve[-1]["loss"]


def test_diagnostics_of_a_cycled_head_are_over_all_views(tmp_path: Path) -> None:
    """Without a step W is what it began as, whatever the epochs read."""
    head = {"tuning": "head", "classifier": "prototype", "seeds": 1}
    still = {"lr": 1e-30, "epochs": 1, "warmup_epochs": 0, "batch": 64, "weight_decay": 0}
    cycled = run_study(
        task(**head, recipe=still, support_views=VIEWS | {"use": "cycle"}), tmp_path
    ).records[0]
    p = with_views(tmp_path / "again", "cycle", **head, recipe=still)
    model = build_model(p.cell, p.recipe, p.resources).model
    z_MD = F.normalize(views_of(p).flatten(0, 1) @ ImageTower().projection()[0].T, dim=-1)
    y_M = torch.tensor(labels_of(p)).repeat_interleave(V)
    with torch.no_grad():
        logits_MC = model.head.logits(z_MD)
    own_M = logits_MC.gather(1, y_M[:, None])[:, 0]
    logits_MC.scatter_(1, y_M[:, None], -torch.inf)
    margin = (own_M - logits_MC.max(dim=1).values).mean().item()
    assert cycled.diagnostics["training_margin"] == pytest.approx(margin, abs=1e-4)
    at_start = cycled.diagnostics["gradient_norm_start"]
    assert at_start == pytest.approx(cycled.diagnostics["gradient_norm"], rel=1e-5)


def test_a_tuned_backbone_reads_pictures_and_its_classifier_views(tmp_path: Path) -> None:
    p = with_views(tmp_path, "pool", tuning="all", classifier="prototype")
    assert len(source_of(p)) == len(trained_labels(p.cell)) == N
    z_MD, _ = embedded_support(p.cell, p.resources)
    assert z_MD is not None
    assert len(z_MD) == N * V


def test_methods_are_fitted_to_views(tmp_path: Path) -> None:
    from harness.run.methods import fit_method

    from .outside import KEPT

    for use, rows in (("pool", N * V), ("mean", N)):
        p = with_views(tmp_path / use, use, method="run.outside:KEPT", val=1)
        fit_method(p.cell, p.resources)
        inputs = KEPT.inputs[-1]
        z_MD, y_M = inputs.support()
        assert z_MD.shape == (rows, D)
        assert len(y_M) == rows
        validation_MD, _ = inputs.validation()
        assert len(validation_MD) == 6


def test_views_are_shared_by_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of two support sets has the same views; 6 pictures a class, 2 in each set."""
    encoded: list[int] = []
    features = ImageTower.features
    monkeypatch.setattr(
        ImageTower, "features", lambda self, x: (encoded.append(len(x)), features(self, x))[1]
    )
    p = with_views(tmp_path, "pool", seeds=4)
    pictures = {item for c in p.cells if c.support for item in c.support.items}
    assert len(pictures) < 4 * N
    assert sum(encoded) == 16 * (-(-V * len(pictures) // 16) + -(-18 // 16))
    before = len(encoded)
    with_views(tmp_path, "cycle", seeds=4)
    assert len(encoded) == before, "pool and cycle are of the same views"
