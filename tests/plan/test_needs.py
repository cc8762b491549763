"""What cells need before they train: the number of images and texts, and their seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core import rates
from harness.core.extracted import Extracted
from harness.plan import needs
from harness.plan.needs import (
    encode_key,
    feature_needs,
    guessed_encode_seconds,
    read_keys,
    text_needs,
    view_key,
)
from harness.plan.resolve import ResolvedCell
from harness.sampling.views import Views
from harness.training.features import features_folder
from harness.training.text_embeddings import text_file
from plan.conftest import FACTS, AddDataset
from tests.sampling.toy import items

Task = dict[str, Any]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def cells(task: Task, tmp_path: Path, **changes: Any) -> list[ResolvedCell]:
    return plan_of(task, tmp_path / "runs", **changes).cells


def images(found: list[ResolvedCell]) -> int:
    return sum(need.missing for need in feature_needs(found, "cpu"))


def test_images_of_the_support_and_test_sets_each_once(task: Task, tmp_path: Path) -> None:
    found = cells(task, tmp_path, shots=[1, 2, 4], classifier=["text", "random"])
    supports = {item for c in found if c.support for item in c.support.items}
    assert images(found) == len(supports) + 20
    assert len(supports) < 80, "the sets of two seeds overlap"


def test_each_frame_and_crop_is_an_image(
    task: Task, tmp_path: Path, add_dataset: AddDataset
) -> None:
    crops = cells(task, tmp_path, views="1x3", seeds=1)
    assert images(crops) == 10 + 3 * 20
    clips = add_dataset("clips", kind="clips")
    found = cells(task, tmp_path, dataset=clips, temporal="tap", frames=4, views="2x3", seeds=1)
    assert images(found) == 4 * (10 + 2 * 3 * 20)


def test_a_tuned_backbone_needs_features_for_its_classifier_alone(
    task: Task, tmp_path: Path
) -> None:
    tuned = {"tuning": "all", "seeds": 1, "shots": 2}
    assert images(cells(task, tmp_path, **tuned)) == 0
    assert images(cells(task, tmp_path, **tuned, classifier="prototype")) == 20


def test_validation_samples_and_zero_shot(task: Task, tmp_path: Path) -> None:
    search = {"search": {"recipe.lr": [1e-3]}, "selection": "val", "val": 3}
    assert images(cells(task, tmp_path, **search, seeds=1)) == 10 + 30 + 20
    zero = {"regime": "zero_shot", "shots": None}
    assert images(cells(task, tmp_path, **zero)) == 20


def test_what_is_in_the_cache_is_not_missing(task: Task, tmp_path: Path) -> None:
    found = cells(task, tmp_path, seeds=1)
    cell, setup = found[0].cell, found[0].setup
    folder = features_folder(setup.facts.backbone, setup.resolution, "cpu")
    folder.mkdir(parents=True)
    Extracted(cell.dataset, folder, None, view_key(Views())).remember(found[0].test.items)
    assert images(found) == 10
    assert sum(n.missing for n in feature_needs(found, "cuda")) == 30, "those of a GPU are others"


def test_of_many_sets_some_are_drawn(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = cells(task, tmp_path, shots=2, seeds=30)
    true = images(found)
    monkeypatch.setattr(needs, "MOST_DRAWN", 5)
    counted: list[ResolvedCell] = []
    monkeypatch.setattr(needs, "_training_items", lambda c: counted.append(c) or c.support.items)
    assert images(cells(task, tmp_path, shots=2, seeds=30)) == pytest.approx(true, rel=0.1)
    assert len(counted) == 5
    assert true <= 100
    few = {"shots": 2, "seeds": 400, "classes": {"from": "rear"}}
    assert images(cells(task, tmp_path, **few)) == pytest.approx(40 + 10, abs=1), "of its classes"


def test_seconds_are_guessed_and_then_learned(task: Task, tmp_path: Path) -> None:
    found = cells(task, tmp_path, seeds=1)
    (need,) = feature_needs(found, "cpu")
    guess = guessed_encode_seconds(FACTS, FACTS.resolution, "cpu")
    assert need.seconds == pytest.approx(30 * (needs.READ_SECONDS["pictures"] + guess))
    rates.remember(rates.ENCODE, encode_key(FACTS, FACTS.resolution, "cpu"), 10, 20.0)
    for key in read_keys(found[0].cell.dataset):
        rates.remember(rates.READ, key, 10, 5.0)
    (need,) = feature_needs(found, "cpu")
    assert need.seconds == pytest.approx(30 * (2.0 + 0.5))


def test_reading_is_learned_from_other_data_of_the_kind(tmp_path: Path) -> None:
    from harness.core.cells import Choice

    assert read_keys(Choice("folder:a"))[1] == read_keys(Choice("folder:b"))[1]
    assert read_keys(Choice("folder:a"))[0] != read_keys(Choice("folder:b"))[0]


def test_texts_that_are_not_embedded_yet(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = cells(task, tmp_path, classifier=["text", "random"], seeds=3)
    (need,) = text_needs(found)
    assert need.missing == 10
    assert need.seconds == pytest.approx(10 * needs.TEXT_SECONDS)
    rates.remember(rates.TEXT, "weights", 4, 2.0)
    assert text_needs(found)[0].seconds == pytest.approx(5.0)
    setup = found[0].setup
    texts = setup.prompt.plugin.evaluation_texts(setup.tested.names, setup.prompt.options)
    path = text_file(setup.text_weights, setup.prompt.choice, texts)
    path.parent.mkdir(parents=True)
    path.touch()
    assert text_needs(found)[0].missing == 0
    assert text_needs(found, "cuda")[0].missing == 0, "this text encoder stays on the CPU"
    monkeypatch.setattr(needs, "embeds_on", lambda _, device: device)
    (on_gpu,) = text_needs(found, "cuda")
    assert on_gpu.missing == 10, "those of a GPU are others"
    assert 0 < on_gpu.seconds < 10 * needs.TEXT_SECONDS


def test_a_class_of_many_items_is_no_surprise(
    task: Task, tmp_path: Path, add_dataset: AddDataset
) -> None:
    large = add_dataset("large", train=items("train", 500, 10))
    assert images(cells(task, tmp_path, dataset=large, regime="full", shots=None)) == 5020
