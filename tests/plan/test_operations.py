"""Operations of trainings of a backbone, against numbers by hand.

Toy has ten classes of eight training and two test samples; an image takes 1,000 multiply-adds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import plan_of

from harness.core.facts import EncoderFacts
from harness.core.multiply_adds import counted, transformer_macs
from harness.core.samples import Items
from harness.plan.operations import (
    image_macs,
    operations_of,
    runs_backbone,
    runs_tower,
    text_macs,
    training_length,
    training_samples,
)
from harness.plan.resolve import ResolvedCell
from plan.conftest import FACTS, AddDataset, AddEncoder

MACS = 1000.0
DRAWN = {"name": "templates", "texts": ["a {}", "the {}"], "train": "draw", "evaluation": "all"}
Planned = Callable[..., ResolvedCell]


@pytest.fixture
def planned(
    tmp_path: Path,
    add_dataset: AddDataset,
    add_encoder: AddEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> Planned:
    """One cell that tunes the whole backbone, with some keys of its task replaced."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))

    def plan(kind: str = "pictures", recipe: dict[str, Any] | None = None, **keys: Any) -> Any:
        task: dict[str, Any] = {
            "name": "t", "dataset": add_dataset("toy", kind=kind), "regime": "full",
            "encoder": add_encoder("enc", macs=MACS, TAKES_CONTEXT=True), "tuning": "all",
            "classifier": "text", "seeds": 1, "recipe": {"epochs": 3, "batch": 32} | (recipe or {}),
        }  # fmt: skip
        if "iterations" in task["recipe"]:
            del task["recipe"]["epochs"]
        (resolved,) = plan_of({**task, **keys}, tmp_path / "runs").cells
        return resolved

    return plan


@pytest.mark.parametrize(
    ("keys", "samples"),
    [
        ({}, 80),
        ({"regime": "few_shot", "shots": 2}, 20),
        ({"regime": "fraction", "fraction": 0.3}, 20),  # of 8: 2.4, rounded to 2
        ({"regime": "fraction", "fraction": 0.01}, 10),  # at least one of every class
        ({"val": 3, "search": {"recipe.lr": [0.1, 0.2]}, "selection": "val"}, 50),
        ({"classes": {"from": "rear"}}, 40),
    ],
)
def test_samples(planned: Planned, keys: dict[str, Any], samples: int) -> None:
    """Counted without drawing them, and as many as are drawn."""
    resolved = planned(**keys)
    assert training_samples(resolved.cell, resolved.setup) == samples
    assert resolved.support is not None
    assert len(resolved.support.items) == samples


@pytest.mark.parametrize(
    ("recipe", "keys", "expected"),
    [
        ({}, {}, (80, 240.0, 9.0)),
        ({"iterations": 10}, {}, (80, 80 * 10 / 3, 10.0)),
        ({"epoch_length": "full"}, {"regime": "few_shot", "shots": 3}, (60, 180.0, 6.0)),
        ({}, {"regime": "few_shot", "shots": 3}, (30, 90.0, 3.0)),
    ],
)
def test_epochs_iterations_and_their_length(
    planned: Planned, recipe: dict[str, Any], keys: dict[str, Any], expected: Any
) -> None:
    """Samples of an epoch, samples that are read in all, and steps."""
    resolved = planned(recipe=recipe, **keys)
    assert resolved.cell.recipe is not None
    length = training_length(resolved.cell, resolved.setup, resolved.cell.recipe)
    found = (length.samples_of_epoch, length.samples, length.steps)
    assert found == pytest.approx(expected)


def test_a_step_is_six_operations_and_evaluation_two(planned: Planned) -> None:
    work = operations_of(planned())
    assert (work.trained, work.trained_images) == (240 * 6 * MACS, 240)
    assert (work.tested, work.tested_images) == (20 * 2 * MACS, 20)


def test_frames_and_views(planned: Planned) -> None:
    work = operations_of(planned("clips", frames=4, views="2x3", temporal="tap"))
    assert (work.trained, work.trained_images) == (4 * 240 * 6 * MACS, 4 * 240)
    assert (work.tested, work.tested_images) == (4 * 20 * 6 * 2 * MACS, 4 * 20 * 6)


def test_gradient_checkpointing_runs_forward_again(planned: Planned) -> None:
    assert operations_of(planned(recipe={"checkpointing": True})).trained == 240 * 8 * MACS


def test_matching_over_micro_batches_has_a_second_pass(planned: Planned) -> None:
    keys = {"paradigm": "matching", "gather": True, "classifier": None}
    whole = planned(**keys)
    assert operations_of(whole).trained == 240 * 6 * MACS
    assert operations_of(whole, processes=2).trained == 240 * 8 * MACS
    parts = planned(recipe={"micro_batch": 8}, **keys)
    assert operations_of(parts).trained == 240 * 8 * MACS
    apart = planned(recipe={"micro_batch": 8}, **(keys | {"gather": False}))
    assert operations_of(apart).trained == 240 * 6 * MACS


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ({"paradigm": "matching", "gather": True, "classifier": None}, 9 * 10),
        ({"paradigm": "matching", "gather": True, "classifier": None, "recipe": {"batch": 8}},
         30 * 8),
        ({"paradigm": "matching", "gather": True, "classifier": None, "prompt": DRAWN}, 9 * 10),
    ],
)  # fmt: skip
def test_an_online_text_tower_reads_the_texts_of_every_step(
    planned: Planned, keys: dict[str, Any], texts: int
) -> None:
    """All ten classes in each of the 9 steps; with a batch of 8 at most 8, in 30 steps."""
    offline, online = planned(**keys), planned(text_tower="online", **keys)
    more = operations_of(online).trained - operations_of(offline).trained
    assert more == pytest.approx(texts * 6 * text_macs(FACTS))


@pytest.mark.parametrize("tuning", ["prompt", {"lora": {"towers": ["text"]}}])
def test_a_text_tower_beside_cached_features(planned: Planned, tuning: Any) -> None:
    """Ten texts in each of 20 steps, and no picture; with two stages in 12 of them."""
    keys = {"prompt": "learnable", "text_tower": "online"}
    recipe = {"iterations": 20}
    whole = planned(tuning=tuning, recipe=recipe, **keys)
    assert runs_tower(whole)
    work = operations_of(whole)
    assert work.trained == pytest.approx(20 * 10 * 6 * text_macs(FACTS))
    assert (work.trained_images, work.tested, work.tested_images) == (0, 0, 0)
    stages = [{"share": 0.6, "tuning": tuning}, {"share": 0.4, "tuning": "head"}]
    half = planned(tuning="projection", stages=stages, recipe=recipe, **keys)
    assert operations_of(half).trained == pytest.approx(0.6 * work.trained)


def test_stages_read_pictures_to_the_end(planned: Planned) -> None:
    """Three epochs of 80: 60% forwards and backwards, the rest forwards alone."""
    stages = [{"share": 0.6, "tuning": "norm"}, {"share": 0.4, "tuning": "head"}]
    work = operations_of(planned(tuning="projection", stages=stages))
    assert work.trained_images == 240
    assert work.trained == pytest.approx(240 * (0.6 * 6 + 0.4 * 2) * MACS)


def test_a_search_trains_every_configuration(planned: Planned) -> None:
    keys = {"val": 2, "selection": "val"}
    work = operations_of(
        planned(search={"recipe.lr": [0.1, 0.2, 0.3], "recipe.epochs": [1, 4]}, **keys)
    )
    assert work.trained == 3 * (1 + 4) * 60 * 6 * MACS
    assert work.trained_images == 3 * (1 + 4) * 60
    assert work.tested == 20 * 2 * MACS


def test_classes_of_fewer_samples_give_all_that_they_have(
    planned: Planned, add_dataset: AddDataset
) -> None:
    items = Items(tuple("abcde"), np.array([0, 0, 0, 0, 1]), np.arange(5))
    data = add_dataset("few", classes=("one", "two"), train=items, test=items)
    resolved = planned(dataset=data, regime="few_shot", shots=3, few="take_all")
    assert training_samples(resolved.cell, resolved.setup) == 3 + 1


def test_only_what_runs_the_backbone_is_counted(planned: Planned) -> None:
    assert runs_backbone(planned())
    frozen = planned(tuning="projection")
    assert not runs_backbone(frozen)
    assert not runs_tower(frozen)


# --- one image ------------------------------------------------------------------------------------


def facts(**changes: Any) -> EncoderFacts:
    known: dict[str, Any] = {
        "weights": "w", "backbone": "b", "dim": 512, "feature_dim": 768, "resolution": 224,
        "logit_scale": 1.0, "tower": "vit",
    }  # fmt: skip
    return EncoderFacts(**(known | changes))


def test_an_image_is_counted_told_or_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    usual = image_macs(facts(), 224)
    assert usual == transformer_macs(12, 768, 197) == pytest.approx(17.4e9, rel=0.01)
    assert image_macs(facts(tower="resnet", feature_dim=2048), 448) == 4 * 4.1e9
    assert image_macs(facts(macs=5e9), 112) == 5e9 / 4
    counted("b", 224, lambda: 7e9)
    assert image_macs(facts(macs=5e9), 224) == 7e9
    assert image_macs(facts(macs=5e9), 112) == 5e9 / 4


def test_a_text() -> None:
    assert text_macs(facts(text_width=512)) == pytest.approx(2.98e9, rel=0.01)
    short = "a tower that does not fill texts up reads the words alone"
    assert text_macs(facts(text_dim=384)) == transformer_macs(12, 384, 12), short
