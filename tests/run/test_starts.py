"""Every start, where it can be: untrained, beside a projection, and in heads on frozen features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import plan_of
from torch.nn import functional as F

from harness.core.errors import TaskError
from harness.plan.needs import text_needs
from harness.run.build import build_model
from harness.run.initialise import embedded_support, initial_classifier

from .outside import NAMES, TextTower, task
from .prepared import Prepared, prepared

ON_BACKBONE = {"head": {"on": "backbone", "bias": True}}
VALIDATED = {"name": "text_prototype", "weight": "validation"}
#: Texts whose embeddings say nothing on the colour.
VAGUE = {"name": "template", "text": "a {}."}
STARTS: list[Any] = [
    "kaiming", "simplex_etf", "hadamard", "text_whitened", {"name": "text_low_rank", "rank": 2},
    "text_prototype", "ss_text", "gda", {"name": "lda", "covariance": "total"}, "least_squares",
]  # fmt: skip


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_it_can_be_everywhere(tmp_path: Path, start: Any) -> None:
    untrained = prepared(tmp_path, classifier=start, tuning="none")
    names = untrained.cell.setup.trained.names
    w_CD = initial_classifier(untrained.cell, names, untrained.resources)
    assert w_CD is not None
    directions_CD = F.normalize(w_CD, dim=1)
    for paradigm, tuning in (
        ("vision_text", "projection"), ("vision_text", "head"), ("vision_only", "head"),
    ):  # fmt: skip
        p = prepared(tmp_path, classifier=start, paradigm=paradigm, tuning=tuning)
        built = build_model(p.cell, p.recipe, p.resources)
        torch.testing.assert_close(built.w_init_CD, directions_CD)
    p = prepared(tmp_path, classifier=start, paradigm="vision_only", tuning=ON_BACKBONE)
    w_CF = build_model(p.cell, p.recipe, p.resources).w_init_CD
    assert w_CF.shape == (6, 12)
    torch.testing.assert_close(w_CF.norm(dim=1), torch.ones(6))


def test_a_mixture_is_made_in_the_embedding_and_goes_through_the_projection(
    tmp_path: Path,
) -> None:
    raw = {"head": {"on": "backbone", "start_norm": "raw", "normalise": False}}
    p = prepared(tmp_path, classifier="text_prototype", paradigm="vision_only", tuning=raw)
    z_ND, y_N = embedded_support(p.cell, p.resources)
    assert z_ND is not None
    assert y_N is not None
    z_ND = F.normalize(z_ND, dim=-1)
    means_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(6)])
    w_CD = 0.5 * F.normalize(TextTower().embed(NAMES), dim=1) + 0.5 * F.normalize(means_CD, dim=1)
    weight_DF = p.resources.encoder(p.cell).projection.weight_DF
    built = build_model(p.cell, p.recipe, p.resources)
    torch.testing.assert_close(built.w_init_CD, w_CD @ weight_DF)


def test_zeros_are_the_start_of_linear_heads_alone(tmp_path: Path) -> None:
    for tuning in ("head", ON_BACKBONE):
        p = prepared(tmp_path, classifier="zeros", paradigm="vision_only", tuning=tuning)
        built = build_model(p.cell, p.recipe, p.resources)
        assert not built.w_init_CD.any()
        assert not built.model.head.logits(torch.ones(2, built.w_init_CD.shape[1])).any()
    for tuning in ("none", "projection", "head"):
        with pytest.raises(TaskError, match="has no direction"):
            plan_of(task(classifier="zeros"), tmp_path, tuning=tuning)


# --- validation samples --------------------------------------------------------------------------


def validated(tmp_path: Path, **changes: Any) -> Prepared:
    return prepared(tmp_path, classifier=VALIDATED, val=2, tuning="none", **changes)


def test_the_weight_is_that_of_the_highest_validation_accuracy(tmp_path: Path) -> None:
    p = validated(tmp_path, prompt=VAGUE)
    validation = p.cell.validation
    assert validation is not None
    h_MF = p.resources.train_features(p.cell).of(validation.items)
    z_MD = F.normalize(p.resources.encoder(p.cell).projection(h_MF), dim=1)
    labels_M = torch.tensor(validation.labels)
    right = []
    for tenths in range(11):
        fixed = {"name": "text_prototype", "weight": tenths / 10}
        w_CD = initial_of(prepared(tmp_path, classifier=fixed, tuning="none", prompt=VAGUE))
        predicted_M = (z_MD @ F.normalize(w_CD, dim=1).T).argmax(dim=1)
        right.append((int((predicted_M == labels_M).sum()), w_CD))
    best = max(n for n, _ in right)
    expected_CD = next(w_CD for n, w_CD in right if n == best)
    torch.testing.assert_close(initial_of(p), expected_CD)
    assert len({n for n, _ in right}) > 1, "the weight matters here"


def initial_of(p: Prepared) -> torch.Tensor:
    w_CD = initial_classifier(p.cell, p.cell.setup.trained.names, p.resources)
    assert w_CD is not None
    return w_CD


def test_it_needs_val_and_trains_on_the_same_support_set(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"val: is missing: text_prototype.*validation samples"):
        plan_of(task(classifier=VALIDATED), tmp_path)
    with_val, without = (
        validated(tmp_path),
        prepared(tmp_path, classifier="prototype", tuning="none"),
    )
    assert with_val.cell.support == without.cell.support


# --- texts of its own ----------------------------------------------------------------------------


def described(folder: Path, sentences: dict[str, list[str]]) -> dict[str, str]:
    path = folder / f"{len(list(folder.glob('*.json')))}.json"
    path.write_text(json.dumps(sentences), encoding="utf-8")
    return {"name": "descriptions", "file": str(path)}


SENTENCES = {name: [f"a {name} thing", f"something {name}"] for name in NAMES}


def test_rows_are_means_of_normalised_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    choice = described(tmp_path, SENTENCES)
    plan = plan_of(task(classifier=choice, seeds=1), tmp_path)
    assert [need.missing for need in text_needs(plan.cells)] == [12]
    w_CD = initial_of(prepared(tmp_path, classifier=choice))
    each = [F.normalize(TextTower().embed(of_class), dim=1) for of_class in SENTENCES.values()]
    means_CD = torch.stack([z_KD.mean(dim=0) for z_KD in each])
    torch.testing.assert_close(w_CD, F.normalize(means_CD, dim=1))
    prompt = prepared(tmp_path, classifier="text", prompt=choice)
    torch.testing.assert_close(F.normalize(initial_of(prompt), dim=1), w_CD)


def test_the_sentences_are_in_the_key(tmp_path: Path) -> None:
    """Other sentences of the same file; a class that the cell does not have is not read."""
    choice = described(tmp_path, SENTENCES)

    def key() -> str:
        from harness.prompts._sentences import read_sentences

        read_sentences.cache_clear()
        return plan_of(task(classifier=choice, seeds=1), tmp_path).cells[0].key

    first = key()
    path = Path(choice["file"])
    path.write_text(json.dumps(SENTENCES | {"owl": ["a bird"]}), encoding="utf-8")
    assert key() == first
    path.write_text(json.dumps(SENTENCES | {"red": ["a bird"]}), encoding="utf-8")
    assert key() != first


def test_missing_classes_stop_the_task(tmp_path: Path) -> None:
    choice = described(tmp_path, {name: ["x"] for name in NAMES[:4]})
    path = choice["file"]
    for key, changes in (("classifier", {"classifier": choice}), ("prompt", {"prompt": choice})):
        with pytest.raises(TaskError) as caught:
            plan_of(task(classifier="text") | changes, tmp_path)
        assert str(caught.value) == (
            f"task.yaml: {key}: {path} has no sentence on 2 of the 6 classes: 'pink', 'grey'"
        )
