"""A task as cells: the product of its axes, null where an axis has no meaning, each cell once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import TASK_FILE, TaskLike, read_like
from pydantic import BaseModel, ConfigDict

from harness.core.cell_json import cell_from
from harness.core.cells import Cell, Choice, HeadSpec
from harness.core.errors import TaskError
from harness.task import library
from harness.task.grid import Row, expand, expand_rows, matches, rows_of, rule, value_of

BASE: dict[str, Any] = {
    "name": "t",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": [1, 2],
    "encoder": "embedded/lit-emoji",
    "seeds": 2,
}


def cells(task: TaskLike = BASE, **changes: Any) -> list[Any]:
    return expand(*read_like(task, **changes))


def rows(task: TaskLike = BASE, **changes: Any) -> list[Row]:
    return expand_rows(*read_like(task, **changes))


def test_the_product_of_the_axes() -> None:
    found = cells(classifier=["text", "random", {"name": "lda", "shrinkage": 0.1}])
    assert len(found) == 3 * 2 * 2
    assert Choice("lda", (("shrinkage", 0.1),)) in {c.classifier for c in found}


def test_an_axis_without_meaning_is_null_and_equal_cells_are_one() -> None:
    found = cells(classifier=["text", "random"], paradigm=["vision_text", "vision_only"])
    vision_only = [c for c in found if c.paradigm.name == "vision_only"]
    assert len(vision_only) == 2 * 2
    assert {(c.classifier, c.schedule, c.prompt) for c in vision_only} == {(None, None, None)}


def test_a_cell_without_chance_has_no_seed() -> None:
    zero = {"regime": "zero_shot", "shots": None}
    assert [c.seed for c in cells(**zero, classifier="text")] == [None]
    assert [c.seed for c in cells(**zero, classifier="random")] == [0, 1]


def test_zero_shot_without_training_is_one_cell_whatever_was_to_be_trained_on() -> None:
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {"from": "aligned"}}
    found = cells(**zero, tuning=["none", "projection"], seeds=1)
    assert [(c.tuning, c.train_classes is None, c.recipe is None) for c in found] == [
        ("none", True, True),
        ("projection", False, False),
    ]


def test_recipe_lists_are_axes_and_by_changes_rows_of_a_name() -> None:
    found = cells(
        classifier=["text", "random"],
        recipe={"lr": [1e-3, 1e-4], "by": {"random": {"epochs": 7}}},
        shots=1,
        seeds=1,
    )
    assert [(c.classifier.name, value_of(c, "recipe.lr"), c.recipe.epochs) for c in found] == [
        ("text", 1e-3, 30),
        ("text", 1e-4, 30),
        ("random", 1e-3, 7),
        ("random", 1e-4, 7),
    ]


def test_exclude_matches_by_name_or_value_and_include_adds() -> None:
    found = cells(
        classifier=["text", "lda"],
        exclude=[{"classifier": "lda", "shots": 1}],
        include=[{"classifier": "random", "shots": 8}],
        seeds=1,
    )
    assert [(c.classifier.name, c.shots) for c in found] == [
        ("text", 1),
        ("text", 2),
        ("lda", 2),
        ("random", 8),
    ]


def test_exclude_by_an_unknown_axis_is_an_error() -> None:
    for entry in ("exclude", "include"):
        with pytest.raises(TaskError) as caught:
            cells(**{entry: [{"shot": 1}]})
        assert str(caught.value).startswith(f"{TASK_FILE}: ")
        assert "shot: there is no such" in str(caught.value)
        assert str(caught.value).endswith("Did you mean 'shots'?")


def test_include_is_the_task_with_keys_replaced() -> None:
    found = cells(shots=1, seeds=1, recipe={"lr": 1e-3}, include=[{"recipe": {"epochs": 7}}])
    assert [(c.recipe.lr, c.recipe.epochs) for c in found] == [(1e-3, 30), (1e-3, 7)]


def test_new_seeds_of_a_row_join_it_and_known_cells_come_once() -> None:
    (row,) = rows(shots=1, include=[{"seeds": [1, 5]}, {}])
    assert row.seeds == (0, 1, 5)
    assert [cell.seed for cell in row.cells()] == [0, 1, 5]


def test_an_excluded_seed_leaves_the_others() -> None:
    found = rows(classifier=["text", "random"], shots=1, exclude=[{"seed": 0}])
    assert [(str(r.cell.classifier), r.seeds) for r in found] == [("text", (1,)), ("random", (1,))]
    assert rows(shots=1, exclude=[{"shots": [1, 2]}]) == []


def test_class_draws_are_an_axis() -> None:
    found = cells(classes={"pick": 3}, class_seed=[0, 1], shots=1, seeds=1)
    assert [c.class_seed for c in found] == [0, 1]
    assert [c.class_seed for c in cells(shots=1, seeds=1)] == [None]  # nothing is drawn


def test_the_canonical_cell_leaves_out_defaults() -> None:
    (found,) = cells(shots=1, seeds=[4], recipe={"lr": 5e-6})
    assert found.plain() == {
        "classifier": "text",
        "dataset": "emoji",
        "encoder": "embedded/lit-emoji",
        "prompt": "class_name",
        "recipe": {},
        "regime": "few_shot",
        "schedule": "frozen",
        "seed": 4,
        "shots": 1,
    }


# --- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(library.tasks()))
def test_cells_that_were_expanded_are_the_same_rows_again(name: str) -> None:
    """As a job of a cluster gets cells of many rows."""
    found = expand_rows(*read_like(name))
    assert rows_of([cell for row in found for cell in row.cells()]) == found
    assert len({row.cell for row in found}) == len(found)


def test_a_row_without_chance_is_one_cell() -> None:
    zero = {"regime": "zero_shot", "shots": None, "classifier": ["text", "random"]}
    assert [row.seeds for row in rows(**zero)] == [(None,), (0, 1)]
    assert all(row.cell.seed is None for row in rows(**zero))


# --- what has no meaning -------------------------------------------------------------------------


def test_shots_and_fractions_belong_to_their_regimes() -> None:
    found = cells(regime=["few_shot", "fraction", "full"], fraction=0.5, seeds=1)
    assert [(c.regime, c.shots, c.fraction) for c in found] == [
        ("few_shot", 1, None), ("few_shot", 2, None), ("fraction", None, 0.5), ("full", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (None, None)),
        ({"frames": 4}, (None, None)),
        ({"temporal": "tap"}, ("tap", 8)),
        ({"temporal": "tap", "frames": 4}, ("tap", 4)),
    ],
)
def test_frames_belong_to_a_module_over_time(changes: Any, expected: Any) -> None:
    (cell,) = cells(shots=1, seeds=1, **changes)
    assert (cell.temporal and cell.temporal.name, cell.frames) == expected


def test_texts_that_nobody_reads() -> None:
    """`random` is made of no text: its prompt and its text encoder change nothing."""
    found = cells(
        classifier=["text", "random"], prompt=["class_name", {"name": "template", "text": "a {}"}],
        text_encoder=[None, "embedded/minilm"], alignment="projection", shots=1, seeds=1,
    )  # fmt: skip
    (drawn,) = (c for c in found if str(c.classifier) == "random")
    assert len(found) == 4 + 1
    assert (drawn.prompt, drawn.text_encoder, drawn.alignment) == (
        Choice("class_name"), None, None,
    )  # fmt: skip


def test_gather_loss_and_text_tower_belong_to_matching() -> None:
    changes = {"gather": [True, False], "loss": ["kl", "infonce"], "shots": 1, "seeds": 1}
    assert len(cells(**changes)) == 1
    matching = cells(**changes, paradigm="matching", text_tower=["offline", "online"])
    assert len(matching) == 8
    assert {c.classifier for c in matching} == {None}
    untrained = cells(
        **changes, paradigm="matching", text_tower=["offline", "online"], tuning="none"
    )
    assert {c.text_tower for c in untrained} == {"offline"}


def test_what_is_not_trained_has_no_recipe_schedule_or_search() -> None:
    search = {"search": {"recipe.lr": [1e-3]}, "val": 1, "selection": "val"}
    trained, fixed = cells(**search, tuning=["projection", "none"], shots=1, seeds=1)
    assert (trained.search, trained.val, trained.selection) == ((("lr", (1e-3,)),), 1, "val")
    assert trained.recipe.lr == 1e-3, "every value of the search takes its place"
    assert (fixed.recipe, fixed.schedule, fixed.search, fixed.val) == (None,) * 4
    assert fixed.selection == "last"


# --- methods -------------------------------------------------------------------------------------


class Alpha(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = 1.0


@pytest.fixture
def method(elsewhere: Callable[..., str]) -> Callable[..., str]:
    """A method that is fitted to what is named."""

    def add(*uses: str) -> str:
        return elsewhere(
            "_".join(("fitted", *uses)), USES=uses, Options=Alpha,
            fit=lambda inputs, options: None, logits=lambda z_ND, state: None,
        )  # fmt: skip

    return add


def test_a_method_takes_the_place_of_paradigm_classifier_and_recipe(
    method: Callable[..., str],
) -> None:
    head, adapter = cells(method=[None, method("support")], shots=1, seeds=1)
    assert (head.method, head.tuning) == (None, "projection")
    assert (adapter.paradigm, adapter.classifier, adapter.schedule, adapter.recipe) == (None,) * 4
    assert (adapter.tuning, adapter.prompt, adapter.text_encoder) == ("none", None, None)
    (reads,) = cells(method=method("text", "support"), shots=1, seeds=1)
    assert reads.prompt == Choice("class_name")


def test_a_search_goes_to_what_it_is_of(method: Callable[..., str]) -> None:
    search = {"recipe.lr": [1e-3], "method.alpha": [0.1, 1.0]}
    head, adapter = cells(
        method=[None, method("support")], search=search, val=1, selection="val", shots=1, seeds=1
    )
    assert head.search == (("lr", (1e-3,)),)
    assert adapter.search == (("method.alpha", (0.1, 1.0)),)


def test_a_key_of_the_recipe_is_no_option_of_a_method(elsewhere: Callable[..., str]) -> None:
    """`recipe.lr` and an option of a method that is called lr are two things."""

    class Options(BaseModel):
        lr: float = 0.1

    name = elsewhere(
        "with_lr", USES=("support",), Options=Options,
        fit=lambda inputs, options: None, logits=lambda z_ND, state: z_ND,
    )  # fmt: skip
    task = {"search": {"recipe.lr": [1e-3, 1e-2]}, "val": 1, "selection": "val"}
    head, adapter = cells(method=[None, name], shots=1, seeds=1, **task)
    assert head.search == (("lr", (1e-3, 1e-2)),)
    assert (adapter.search, adapter.val, adapter.selection) == (None, None, "last")


def test_a_method_may_begin_from_saved_weights(method: Callable[..., str]) -> None:
    (adapter,) = cells(method=method("support"), init="w.safetensors", shots=1, seeds=1)
    assert adapter.init == "w.safetensors"


def test_validation_samples_belong_to_methods_that_use_them(method: Callable[..., str]) -> None:
    found = cells(method=[method("support"), method("validation")], val=1, shots=1, seeds=1)
    assert [c.val for c in found] == [None, 1]


@pytest.mark.parametrize(
    ("uses", "regime", "random"),
    [
        (("seed",), "full", True),
        (("text",), "few_shot", False),
        (("support",), "few_shot", True),
        (("support",), "full", False),
        (("support", "validation"), "full", True),
    ],
)
def test_what_depends_on_the_seed(
    method: Callable[..., str], uses: tuple[str, ...], regime: str, random: bool
) -> None:
    shots = 1 if regime == "few_shot" else None
    (row,) = rows(method=method(*uses), regime=regime, shots=shots, val=1, seeds=2)
    assert row.seeds == ((0, 1) if random else (None,))


# --- partial cells -------------------------------------------------------------------------------

LDA = Cell(
    Choice("emoji"), "few_shot", Choice("e"), shots=1, seed=3,
    classifier=Choice("lda", (("shrinkage", 0.1),)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("partial", "expected"),
    [
        ({}, True),
        ({"classifier": "lda"}, True),
        ({"classifier": {"name": "lda", "shrinkage": 0.1}}, True),
        ({"classifier": {"name": "lda", "shrinkage": 0.2}}, False),
        ({"classifier": ["text", "lda"], "shots": [1, 2]}, True),
        ({"shots": 1, "seed": 4}, False),
        ({"method": None}, True),
        ({"recipe.lr": 1e-3}, False),
        ({"recipe.lr": None}, True),
    ],
)
def test_matches(partial: dict[str, Any], expected: bool) -> None:
    assert matches(LDA, rule(partial, "here")) is expected


def test_a_rule_names_axes_alone() -> None:
    with pytest.raises(TaskError, match=r"^--rerun: recipe\.lrr: there is no such axis; allowed: "):
        rule({"recipe.lrr": 1}, "--rerun")


# --- heads on frozen features --------------------------------------------------------------------


def test_a_head_trains_w_so_schedule_has_no_meaning() -> None:
    (cell,) = cells(classifier="text", tuning="head", shots=1, seeds=1)
    assert (cell.head, cell.schedule, cell.tuning) == (HeadSpec(), None, "head")
    assert cell.recipe is not None
    assert cell.recipe.train_logit_scale is False
    trained = cells(
        classifier="text", tuning="head", shots=1, seeds=1, recipe={"train_logit_scale": True}
    )
    assert [c.recipe.train_logit_scale for c in trained if c.recipe] == [True]


def test_a_linear_head_takes_every_initialisation_on_frozen_features() -> None:
    linear = {"paradigm": "vision_only", "shots": 1, "seeds": 1, "tuning": ["projection", "head"]}
    found = cells(**linear, classifier=["text", "random"])
    assert [(c.tuning, str(c.classifier)) for c in found] == [
        ("projection", "None"), ("head", "text"), ("head", "random"),
    ]  # fmt: skip
    drawn = cells(**linear, classifier=None)
    assert [str(c.classifier) for c in drawn] == ["None", "random"]
    texts = cells(paradigm="vision_text", shots=1, seeds=1, classifier=None)
    assert [str(c.classifier) for c in texts] == ["text"]


def test_options_of_a_head_are_part_of_the_row() -> None:
    head = {"on": "backbone", "start_scale": "pretrained"}
    found = cells(
        paradigm="vision_only", classifier="text", tuning=["head", {"head": head}, {"head": {}}],
        shots=1, seeds=1,
    )  # fmt: skip
    assert [str(value_of(c, "tuning")) for c in found] == [
        "head",
        "head(on=backbone, start_scale=pretrained)",
    ]
    assert found[1].plain()["head"] == head
    assert cell_from(found[1].plain()) == found[1]


def test_a_cosine_head_reads_the_embedding() -> None:
    tuning = [{"head": {"bias": False, "start_norm": 2}}, {"head": {"start_norm": 2.0}}]
    paradigms = ["vision_text", "vision_only"]
    found = cells(paradigm=paradigms, classifier="text", tuning=tuning, shots=1, seeds=1)
    assert [c.head for c in found] == [
        HeadSpec(start_norm=2.0), HeadSpec(start_norm=2.0, bias=False), HeadSpec(start_norm=2.0)
    ]  # fmt: skip
