"""What cells take from saved weights: what is restored, told, or refused at planning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import plan_of

from harness.core.errors import TaskError
from harness.plan.saved import restored
from harness.training.model import Projection
from harness.training.weights import Source, Weights, save_weights

D, F = 384, 1280
NAMES = ("copyright sign", "registered sign", "mahjong tile red dragon")
TASK: dict[str, Any] = {
    "name": "begun",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "encoder": "embedded/lit-emoji",
    "recipe": {"preset": "lit_emoji"},
    "seeds": 1,
}
EVALUATED = {"tuning": "none"}
TUNABLE = {"paradigm": "matching", "text_tower": "online"}


@pytest.fixture
def task(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    return TASK | {"classes": str(tmp_path / "names.txt")}


def own(task: dict[str, Any], runs: Path, /, **changes: Any) -> Any:
    (resolved,) = plan_of(task, runs, **changes).cells
    return resolved


def file(runs: Path, task: dict[str, Any], /, *, without: tuple[str, ...] = (), **said: Any) -> str:
    """A file of a model of this task's encoder, with every part but some."""
    setup = own(task, runs).setup
    source = {
        "classes": setup.trained.names, "encoder": setup.facts.weights,
        "text_encoder": setup.text_weights,
    } | said  # fmt: skip
    head = {
        "classifier": torch.ones(3, D),
        "logit_scale": torch.tensor(20.0),
        "bias": torch.ones(3),
    }
    weights = Weights(
        Projection(torch.zeros(*said.pop("shape", (D, F))), None),
        text={} if "text" in without else {"w": torch.ones(1)},
        context=None if "context" in without else torch.zeros(*said.pop("context", (4, D))),
        head={name: t for name, t in head.items() if name not in without},
        source=Source(
            **{name: value for name, value in source.items() if name not in ("shape", "context")}
        ),
    )
    path = runs / "w.safetensors"
    save_weights(path, weights)
    return str(path)


def old_file(runs: Path) -> str:
    from safetensors.torch import save_file

    path = runs / "old.safetensors"
    save_file({"projection.weight": torch.zeros(D, F)}, path)
    return str(path)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"classifier": "text"}, {"text", "logit_scale"}),
        ({"classifier": "random"}, {"logit_scale"}),
        ({"classifier": {"name": "random", "scale": 5}}, set()),
        ({"classifier": "saved"}, {"logit_scale", "classifier"}),
        ({"classifier": "saved", "paradigm": "vision_only"}, {"classifier", "bias"}),
        ({"classifier": "text", "paradigm": "vision_only"}, set()),
        ({"prompt": "learnable"}, {"text", "context", "logit_scale"}),
        (TUNABLE, {"text", "logit_scale"}),
        (EVALUATED, {"text", "logit_scale"}),
        (EVALUATED | {"prompt": "learnable"}, {"text", "context", "logit_scale"}),
        (EVALUATED | {"classifier": "saved", "paradigm": "vision_only"}, {"classifier", "bias"}),
    ],
)
def test_what_has_the_same_meaning_is_restored(
    task: dict[str, Any], tmp_path: Path, changes: dict[str, Any], parts: set[str]
) -> None:
    resolved = own(task, tmp_path, init=file(tmp_path, task), **changes)
    assert restored(resolved.cell, resolved.setup) == {"projection", *parts}


def test_without_init_nothing_is(task: dict[str, Any], tmp_path: Path) -> None:
    resolved = own(task, tmp_path)
    assert restored(resolved.cell, resolved.setup) == frozenset()


def test_a_text_tower_of_another_encoder_is_not_restored(
    task: dict[str, Any], tmp_path: Path
) -> None:
    resolved = own(task, tmp_path, init=file(tmp_path, task, text_encoder="other"))
    assert "text" not in restored(resolved.cell, resolved.setup)


def test_what_is_left_is_told(task: dict[str, Any], tmp_path: Path) -> None:
    init = file(tmp_path, task)
    plan = plan_of(task, tmp_path, init=init, classifier=["text", "random", "saved"])
    assert plan.notes() == (
        f"init: {init}: the saved bias is not used (rows: text, random, saved).",
        f"init: {init}: the saved W is not used; classifier: saved would use it (rows: text, "
        "random).",
        f"init: {init}: the saved learned context is not used (rows: text, random, saved).",
        f"init: {init}: the saved text tower is not used (rows: random, saved).",
    )


@pytest.mark.parametrize(
    ("without", "said", "changes", "note"),
    [
        ((), {"encoder": "x"}, {}, "saved with another encoder than embedded/lit-emoji"),
        (("text",), {}, TUNABLE, "no text tower was trained before: it begins as the pretrained"),
        ((), {"unnamed": 2}, {}, "2 trained tensors of the head were not saved"),
        ((), {}, {"recipe": {"logit_scale": 50}}, "takes the place of recipe.logit_scale 50"),
    ],
)
def test_what_is_not_as_it_was_is_told(
    task: dict[str, Any],
    tmp_path: Path,
    without: tuple[str, ...],
    said: dict[str, Any],
    changes: dict[str, Any],
    note: str,
) -> None:
    init = file(tmp_path, task, without=without, **said)
    assert any(note in each for each in plan_of(task, tmp_path, init=init, **changes).notes())


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, "logit scale"),
        (EVALUATED, "logit scale"),
        ({"paradigm": "matching"}, "logit scale"),
        ({"classifier": {"name": "text", "scale": 20}, "prompt": "learnable"}, "learned context"),
        (TUNABLE | {"recipe": {"logit_scale": 20}}, "text tower"),
        ({"paradigm": "vision_only", "classifier": "saved"}, "W"),
    ],
)
def test_an_old_file_without_what_the_cell_has(
    task: dict[str, Any], tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(
        TaskError,
        match=rf"init: .*old.safetensors holds no {what}, which this cell has \(an earlier version "
        r"of the harness wrote it\): train it again with save: last$",
    ):
        plan_of(task, tmp_path, init=old_file(tmp_path), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"paradigm": "vision_only"},
        {"classifier": {"name": "text", "scale": 20}},
        {"recipe": {"logit_scale": 20}},
    ],
)
def test_an_old_file_that_holds_all_that_the_cell_has(
    task: dict[str, Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    plan = plan_of(task, tmp_path, init=old_file(tmp_path), **changes)
    assert len(plan.cells) == 1
    assert plan.notes() == ()


@pytest.mark.parametrize(
    ("without", "changes", "words"),
    [
        (("logit_scale",), {}, "no logit scale, which this cell has: name it, as in classifier"),
        (("context",), {"prompt": "learnable"}, "no learned context, which this cell has: it was"),
        (("classifier",), {"classifier": "saved"}, "no W, which this cell has"),
    ],
)
def test_a_model_without_what_the_cell_has(
    task: dict[str, Any],
    tmp_path: Path,
    without: tuple[str, ...],
    changes: dict[str, Any],
    words: str,
) -> None:
    with pytest.raises(TaskError, match=f"init: .* holds {words}"):
        plan_of(task, tmp_path, init=file(tmp_path, task, without=without), **changes)


@pytest.mark.parametrize(
    ("said", "changes", "reason"),
    [
        ({"classes": NAMES[:2]}, {}, f"of 2 other classes: '{NAMES[2]}' is not among them"),
        ({"classes": NAMES[::-1]}, {}, "W is that of 3 other classes: their order differs"),
        (
            {"classes": (*NAMES, "zebra")},
            {},
            "W is that of 4 other classes: 'zebra' is not among those of this cell",
        ),
        ({"normalise": False}, {"classifier": {"name": "saved", "normalise": True}},
         "normalise is false in the saved weights"),
        ({"shape": (D, 7)}, {}, "the saved projection maps 7 features to 384"),
    ],
)  # fmt: skip
def test_a_saved_classifier_that_does_not_fit(
    task: dict[str, Any], tmp_path: Path, said: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    init = file(tmp_path, task, **said)
    with pytest.raises(TaskError, match=f"all its cells are infeasible: .*{reason}"):
        plan_of(task, tmp_path, init=init, **{"classifier": "saved"} | changes)


def test_a_classifier_without_the_bias_of_a_linear_head(
    task: dict[str, Any], tmp_path: Path
) -> None:
    init = file(tmp_path, task, without=("bias",))
    with pytest.raises(TaskError, match="the saved classifier has no bias, which this paradigm"):
        plan_of(task, tmp_path, init=init, classifier="saved", paradigm="vision_only")


def test_classes_that_are_tested_but_were_not_trained(task: dict[str, Any], tmp_path: Path) -> None:
    """Zero-shot: W names the classes that were trained."""
    init = file(tmp_path, task)
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {"from": "development"}}
    with pytest.raises(TaskError, match="the saved W is that of 3 other classes"):
        plan_of(task, tmp_path, init=init, classifier="saved", **zero)


def test_a_saved_classifier_needs_saved_weights(task: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="classifier: saved is the W of saved weights: name them"):
        plan_of(task, tmp_path, classifier="saved")


def test_another_module_over_time(task: dict[str, Any], tmp_path: Path) -> None:
    clips = {"dataset": {"name": "emoji_motion", "objects": 3, "motions": ["left"]}, "classes": {}}
    path = tmp_path / "t.safetensors"
    head = {"logit_scale": torch.tensor(20.0)}
    save_weights(
        path,
        Weights(
            Projection(torch.zeros(D, F), None),
            temporal={"w": torch.ones(1)}, head=head, source=Source(temporal="t_trans"),
        ),
    )  # fmt: skip
    plan = plan_of(task, tmp_path, init=str(path), temporal=["tap", "t_trans", "none"], **clips)
    assert [reason for _, reason in plan.infeasible] == [
        "init: the saved module over time is t_trans, and not tap"
    ]
    assert json.dumps(plan.notes()).count("the saved module over time is not used") == 1


SPECIFIC = {"name": "learnable", "class_specific": True}


@pytest.mark.parametrize(
    ("said", "prompt", "reason"),
    [
        ({}, "learnable", None),
        ({"position": "around"}, {"name": "learnable", "position": "around"}, None),
        ({"context": (3, 4, D)}, SPECIFIC, None),
        (
            {"position": "around"}, "learnable",
            "init: the saved context is around the class name, and that of prompt learnable is "
            "before it",
        ),
        (
            {}, {"name": "learnable", "position": "behind"},
            "init: the saved context is before the class name, and that of prompt "
            "learnable(position=behind) is behind it",
        ),
        (
            {}, SPECIFIC,
            "init: the saved context is shared, and that of prompt learnable(class_specific=True) "
            "is class-specific",
        ),
        (
            {"context": (3, 4, D)}, "learnable",
            "init: the saved context is class-specific, and that of prompt learnable is shared",
        ),
        (
            {"context": (3, 4, D), "classes": ("x", "y", "z")}, SPECIFIC,
            f"init: the saved context is that of 3 other classes: '{NAMES[0]}' is not among them",
        ),
        (
            {"context": (3, 4, D), "classes": tuple(reversed(NAMES))}, SPECIFIC,
            "init: the saved context is that of 3 other classes: their order differs",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("use", [{}, EVALUATED], ids=["trained_on", "evaluated"])
def test_a_context_goes_on_in_its_form_and_for_its_classes(
    task: dict[str, Any],
    tmp_path: Path,
    said: dict[str, Any],
    prompt: Any,
    reason: str | None,
    use: dict[str, Any],
) -> None:
    init = file(tmp_path, task, **said)
    plan = plan_of(task, tmp_path, init=init, prompt=[prompt, "class_name"], **use)
    assert [why for _, why in plan.infeasible] == ([] if reason is None else [reason])
