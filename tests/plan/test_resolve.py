"""A resolved cell: everything that it names, opened; the sets drawn for it, at first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from conftest import plan_of

from harness.core.errors import DataError, TaskError
from harness.core.samples import Items
from harness.plan.resolve import ResolvedCell
from harness.sampling.sets import draw_support, draw_test, draw_validation
from plan.conftest import AddDataset, AddEncoder
from tests.sampling.toy import Toy

Task = dict[str, Any]


@pytest.fixture
def cell_of(task: Task, tmp_path: Any) -> Callable[..., ResolvedCell]:
    """The first cell of a task with some keys replaced."""
    return lambda **changes: plan_of(task, tmp_path, **changes).cells[0]


Resolve = Callable[..., ResolvedCell]


def test_what_a_cell_names(cell_of: Resolve) -> None:
    setup = cell_of(classifier={"name": "lda", "shrinkage": 0.1}, shots=2).setup
    assert setup.dataset.manifest == "toy"
    assert setup.test_dataset is setup.dataset
    assert setup.trained is setup.tested
    assert setup.same_classes
    assert setup.classifier is not None
    assert setup.classifier.options.shrinkage == 0.1
    assert setup.paradigm is not None
    assert setup.paradigm.choice.name == "vision_text"
    assert setup.text_encoder is setup.encoder
    assert (setup.facts.dim, setup.text_weights, setup.resolution) == (4, "weights", 32)
    assert setup.uses == {"classifier", "support"}
    assert setup.per_class == 8
    assert setup.solver.choice.name == "first_order"
    assert (setup.init, setup.alignment, setup.method) == (None, None, None)
    assert (setup.inside, setup.over_frames) == (None, None)


def test_cells_of_a_row_share_what_they_name(task: Task, tmp_path: Any) -> None:
    cells = plan_of(task, tmp_path, seeds=3, classifier=["text", "random"]).cells
    assert len({id(c.setup) for c in cells}) == 2
    assert len({id(c.draws) for c in cells}) == 1
    assert len({id(c.setup.dataset) for c in cells}) == 1
    assert len({id(c.setup.paradigm) for c in cells}) == 1


def test_facts_have_the_texts_of_the_text_encoder(
    cell_of: Resolve, add_encoder: AddEncoder
) -> None:
    texts = add_encoder("texts", READS=("texts",), text_dim=6, weights="other")
    setup = cell_of(text_encoder=texts, alignment="projection", resolution=64).setup
    assert setup.text_encoder.choice.name == texts
    assert (setup.facts.dim, setup.facts.text_dim, setup.facts.weights) == (4, 6, "weights")
    assert (setup.text_weights, setup.resolution) == ("other", 64)
    assert setup.alignment is not None
    assert setup.alignment.choice.name == "projection"


def test_rows_without_a_prompt_have_that_of_class_names(cell_of: Resolve) -> None:
    setup = cell_of(paradigm="vision_only").setup
    assert setup.prompt.choice.name == "class_name"
    assert setup.classifier is None
    assert setup.uses == frozenset()


@pytest.mark.parametrize(
    ("temporal", "inside", "behind"),
    [("t_trans", None, "t_trans"), ("token_t1d", "token_t1d", "tap"), ("tap", None, "tap")],
)
def test_a_module_over_time(
    cell_of: Resolve, add_dataset: AddDataset, add_encoder: AddEncoder,
    temporal: str, inside: str | None, behind: str,
) -> None:  # fmt: skip
    """Behind a module inside the backbone the embeddings of the frames are averaged."""
    setup = cell_of(
        dataset=add_dataset("clips", kind="clips"), encoder=add_encoder("vit", tower="vit"),
        temporal=temporal, tuning="all",
    ).setup  # fmt: skip
    assert (setup.inside and setup.inside.choice.name) == inside
    assert setup.over_frames is not None
    assert setup.over_frames.choice.name == behind


def test_the_smallest_class_decides(cell_of: Resolve, add_dataset: AddDataset) -> None:
    labels = np.array([0, 0, 0, 1, 1, *range(2, 10)])
    train = Items(tuple(f"train{i}" for i in range(len(labels))), labels, labels)
    dataset = add_dataset("uneven", train=train)
    assert cell_of(dataset=dataset).setup.per_class == 1
    assert cell_of(regime="zero_shot", shots=None).setup.per_class is None


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"dataset": "emojy"}, "dataset", "Did you mean 'emoji'?"),
        (
            {"test_dataset": "emojy", "regime": "zero_shot", "shots": None},
            "test_dataset", "Did you mean 'emoji'?",
        ),
        ({"encoder": "embeded/lit-emoji"}, "encoder", "Did you mean 'embedded'?"),
        ({"text_encoder": "hf_texts:x"}, "text_encoder", "Did you mean 'hf_text'?"),
        ({"classifier": "txt"}, "classifier", "Did you mean 'text'?"),
        ({"paradigm": "vision_txt"}, "paradigm", "Did you mean 'vision_text'?"),
        ({"prompt": "class_nam"}, "prompt", "Did you mean 'class_name'?"),
        ({"temporal": "tapp"}, "temporal", "Did you mean 'tap'?"),
        ({"alignment": "projektion"}, "alignment", "Did you mean 'projection'?"),
        ({"method": "tip_adaptor"}, "method", "no method is called 'tip_adaptor'"),
        ({"recipe": {"solver": "first_ordr"}}, "recipe.solver", "Did you mean 'first_order'?"),
        ({"classes": {"pick": 11}}, "classes.pick", "11 of the 10 classes of 'all'"),
        ({"init": "gone.safetensors"}, "init", "there are no saved weights gone.safetensors"),
        ({"classifier": {"name": "lda", "shrinkag": 1}}, "classifier", "lda: option shrinkag: "),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named_with_file_and_key(
    cell_of: Resolve, changes: dict[str, Any], key: str, says: str
) -> None:
    with pytest.raises(TaskError) as caught:
        cell_of(**changes)
    message = str(caught.value)
    assert message.startswith(f"task.yaml: {key}: ")
    assert says in message


def test_a_plugin_that_wants_what_it_will_not_get(
    cell_of: Resolve, add_classifier: Callable[..., str]
) -> None:
    name = add_classifier("greedy", USES=("text", "suport"))
    with pytest.raises(TaskError) as caught:
        cell_of(classifier=name)
    assert str(caught.value) == (
        f"task.yaml: classifier: {name}: USES names 'suport', which is unknown; allowed: "
        "text, support, seed, saved. Did you mean 'support'?"
    )


# --- drawn sets ----------------------------------------------------------------------------------


def test_sets_of_a_cell_are_those_of_its_classes_and_seed(cell_of: Resolve) -> None:
    resolved = cell_of(
        seeds=[5], shots=2, classes={"pick": 4}, search={"recipe.lr": [1e-3]}, val=1,
        selection="val",
    )  # fmt: skip
    data, classes = resolved.setup.dataset, resolved.setup.trained.indices
    assert resolved.support == draw_support(data, classes, 5, shots=2, val=1)
    assert resolved.validation == draw_validation(data, classes, 5, 1)
    assert resolved.test.sha256 == draw_test(data, classes).sha256
    assert resolved.support is resolved.support


def test_other_classes_are_tested_than_trained_on(
    cell_of: Resolve, add_dataset: AddDataset
) -> None:
    other = add_dataset("other", classes=tuple("abcdefghij"))
    resolved = cell_of(regime="zero_shot", shots=None, train_classes={}, test_dataset=other)
    assert resolved.support is not None
    assert len(resolved.support.items) == 80
    assert resolved.test.class_names == tuple("abcdefghij")
    assert not resolved.setup.same_classes


def test_what_is_not_trained_has_no_support_set(cell_of: Resolve) -> None:
    resolved = cell_of(regime="zero_shot", shots=None)
    assert resolved.support is None
    assert resolved.validation is None
    assert len(resolved.test.items) == 20


@dataclass
class Sized(Toy):
    """Clips that know how large their frames are."""

    side: int = 256
    kind: str = "clips"
    position: str = "centre"

    def length(self, item: str) -> int:
        return 24

    def frames(self, item: str, indices: Any) -> list[Any]:
        return []

    def for_pictures(self, resolution: int, short_side: int) -> Sized:
        if resolution > 512:
            raise DataError(f"option side: {self.side} is smaller than {resolution}")
        if short_side == self.side:
            return self
        return replace(self, side=short_side, manifest=f"{self.manifest} at {short_side}")


def test_frames_follow_the_resolution_and_so_do_keys(
    task: Task, tmp_path: Any, elsewhere: Callable[..., str], add_encoder: AddEncoder
) -> None:
    encoder = add_encoder("cut", resolution=224, crop_share=0.875)
    changes = {"encoder": encoder, "seeds": 1, "temporal": "tap"}

    kept: dict[str, int] = {}
    clips = elsewhere("clips", open_dataset=lambda argument, options: Sized(**kept))

    def cells(side: int, resolution: Any) -> dict[int | None, ResolvedCell]:
        kept["side"] = side
        plan = plan_of(task, tmp_path, **changes, dataset=clips, resolution=resolution)
        return {c.cell.resolution: c for c in plan.cells}

    of = cells(256, [None, 160, 336])
    assert [vars(of[r].setup.dataset)["plugin"].side for r in (None, 160, 336)] == [256, 256, 384]
    assert of[None].setup.dataset is of[160].setup.dataset
    small = cells(384, 336)  # as if frames were kept that were made for this resolution
    assert small[336].key != of[336].key, "other frames, another key"
    assert cells(256, [None])[None].key == of[None].key
    with pytest.raises(TaskError, match="dataset: option side: 256 is smaller than 600"):
        cells(256, 600)
