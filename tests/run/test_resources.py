"""What cells share: features of the items that they need and no others, texts, pictures; and who
cannot have it.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import plan_of

from harness.core.errors import DataError
from harness.run import resources as module
from harness.run.encoders import load_text_encoder
from harness.run.feature_keys import train_key
from harness.run.resources import Resources
from harness.training.distributed import World

from .outside import FEATURES, NAMES, Colours, D, TextTower, task
from .prepared import prepare, prepared


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The items whose pictures were read, in order."""
    items: list[str] = []
    image = Colours.image
    monkeypatch.setattr(
        Colours, "image", lambda self, item: (items.append(item), image(self, item))[1]
    )
    return items


def test_each_item_that_a_cell_needs_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    p = prepared(tmp_path, classifier=["text", "random"], seeds=2)
    supports = [c.support for c in p.cells]
    needed = {i for s in supports if s for i in s.items} | set(p.cells[0].test.items)
    assert len(reads) == len(set(reads)) == len(needed)
    assert set(reads) == needed
    for resolved in p.cells:
        assert resolved.support is not None
        h_NF = p.resources.train_features(resolved).of(resolved.support.items)
        assert h_NF.shape == (12, FEATURES)
        assert p.resources.test_features(resolved).of(resolved.test.items).shape == (18, FEATURES)


def test_rows_follow_the_order_of_the_items(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    table, items = p.resources.test_features(p.cell), p.cell.test.items
    backwards = table.of(reversed(items))
    assert torch.equal(backwards.flip(0), table.of(items))


def test_validation_samples_are_needed_by_a_search(tmp_path: Path) -> None:
    search = {"search": {"recipe.lr": [1e-3]}, "val": 2, "selection": "val"}
    p = prepared(tmp_path, **search)
    validation = p.cell.validation
    assert validation is not None
    assert p.resources.train_features(p.cell).of(validation.items).shape == (12, FEATURES)


def test_a_tuned_backbone_needs_no_features(tmp_path: Path, reads: list[str]) -> None:
    p = prepared(tmp_path, tuning="all")
    assert reads == []
    p.resources.pictures(p.cell)
    prepared(tmp_path, tuning="all", classifier="prototype")
    assert len(reads) == 12, "an initialisation sees pretrained features of the support set"


def test_texts_of_several_prompts_are_embedded_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []
    embed = TextTower.embed
    monkeypatch.setattr(
        TextTower, "embed", lambda self, texts: (embedded.extend(texts), embed(self, texts))[1]
    )
    load_text_encoder.cache_clear()
    prompts = ["class_name", {"name": "template", "text": "a {}"}]
    p = prepared(tmp_path, prompt=prompts, classifier="text", seeds=2)
    for _ in range(2):
        for resolved in p.cells:
            p.resources.texts(resolved, NAMES)
    assert sorted(embedded) == sorted([*NAMES, *(f"a {name}" for name in NAMES)])
    assert p.resources.texts(p.cells[0], NAMES).shape == (6, D)


def test_who_reads_no_texts_has_none_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(*_: Any) -> None:
        raise AssertionError("texts were embedded")

    monkeypatch.setattr(module, "text_embeddings", embed)
    prepared(tmp_path, classifier="random")
    with pytest.raises(AssertionError):
        prepared(tmp_path, classifier="text")


def test_views_and_test_sets_have_features_of_their_own(tmp_path: Path) -> None:
    p = prepared(tmp_path, views=["1x1", "1x3"])
    one, three = p.cells
    assert train_key(one) == train_key(three) == module.test_key(one) != module.test_key(three)
    items = three.test.items
    assert p.resources.test_features(three).of(items).shape == (18, 3, FEATURES)
    assert p.resources.test_features(one).of(items).shape == (18, FEATURES)


def test_pictures_are_shared_by_cells_of_one_data_set_and_encoder(tmp_path: Path) -> None:
    p = prepared(tmp_path, tuning="all", classifier=["text", "random"])
    assert p.resources.pictures(p.cells[0]) is p.resources.pictures(p.cells[1])
    assert p.resources.pictures(p.cells[0]) is p.resources.pictures(p.cells[0], test=True)


class Broken(Colours):
    manifest = "broken"

    def image(self, item: str) -> Any:
        raise DataError(f"{item} cannot be read")


def test_what_cannot_be_read_is_noted_where_others_can(tmp_path: Path, elsewhere: Any) -> None:
    broken = elsewhere("broken_data", open_dataset=lambda argument, options: Broken())
    cells = plan_of(task(classifier="text", seeds=1, dataset=["run.outside:COLOURS", broken]),
                    tmp_path).cells  # fmt: skip
    resources = Resources()
    prepare(resources, cells)
    good, bad = (resources.broken(c) for c in cells)
    assert good is None
    assert "cannot be read" in str(bad)
    with pytest.raises(DataError, match="cannot be read"):
        prepare(Resources(), cells[1:])


@dataclass(frozen=True)
class Pair(World):
    """Two processes, of which the other one could read everything."""

    size: int = 2

    def of_each(self, value: Any) -> list[Any]:
        return [[None] * len(value), pickle.loads(pickle.dumps(value))]  # as it is sent


def test_what_one_process_cannot_read_is_broken_in_all(tmp_path: Path, elsewhere: Any) -> None:
    broken = elsewhere("broken_there", open_dataset=lambda argument, options: Broken())
    cells = plan_of(task(classifier="text", seeds=1, dataset=["run.outside:COLOURS", broken]),
                    tmp_path).cells  # fmt: skip
    resources = Resources()
    resources.load(cells)
    resources.settle(cells, Pair(rank=1))
    good, bad = (resources.broken(c) for c in cells)
    assert good is None
    assert type(bad) is DataError
    assert str(bad).startswith("in process 1 of 2: ")
    assert "cannot be read" in str(bad)
    other = Resources()
    other.load(cells[1:])
    with pytest.raises(DataError, match=r"in process 1 of 2: .* cannot be read"):
        other.settle(cells[1:], Pair(rank=1))


def test_progress_is_reported(tmp_path: Path) -> None:
    points: list[tuple[int, int]] = []
    resources = Resources(lambda done, total: points.append((done, total)))
    prepare(resources, plan_of(task(), tmp_path).cells)
    assert points
    assert points[-1][0] == points[-1][1]


def test_nothing_to_prepare(tmp_path: Path) -> None:
    resources = Resources()
    prepare(resources, [])
    (resolved,) = plan_of(task(classifier="text", seeds=1), tmp_path).cells
    assert resources.broken(resolved) is None


def test_features_follow_the_saved_backbone(tmp_path: Path) -> None:
    """Weights of a tuned backbone make other features; those of a projection alone do not."""
    from conftest import run_study

    ran = run_study(task(classifier="text", seeds=1, tuning="all", save="last"), tmp_path)
    tuned = f"small#{ran.records[0].train_key}"
    ran = run_study(task(classifier="text", seeds=1, save="last"), tmp_path)
    projected = f"small#{ran.records[0].train_key}"

    def rows(init: str | None) -> torch.Tensor:
        p = prepared(tmp_path, init=init)
        return p.resources.test_features(p.cell).of(p.cell.test.items)

    pretrained = rows(None)
    assert torch.equal(rows(projected), pretrained)
    assert not torch.equal(rows(tuned), pretrained)
    assert torch.equal(rows(tuned), rows(tuned))


def test_precomputed_features_are_taken_as_they_are(tmp_path: Path, elsewhere: Any) -> None:
    class Given(Colours):
        kind = "features"
        manifest = "given"

        def features(self, items: Any) -> Any:
            import numpy as np

            return np.stack([np.full(FEATURES, len(i), dtype=np.float32) for i in items])

        def image(self, item: str) -> Any:
            raise AssertionError("there are no pictures")

    name = elsewhere("given_data", open_dataset=lambda argument, options: Given())
    p = prepared(tmp_path, dataset=name)
    rows_NF = p.resources.test_features(p.cell).of(p.cell.test.items)
    assert rows_NF[:, 0].tolist() == [len(i) for i in p.cell.test.items]
