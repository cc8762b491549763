"""Keys of cells: the text they are hashes of, what changes them, and what does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import plan_of, read_like
from safetensors.torch import save_file

from harness.core.cells import Cell, Choice, ClassPick, Recipe
from harness.core.errors import TaskError
from harness.core.hashing import digest
from harness.core.records import KEY_VERSION
from harness.plan.keys import keys_of_row
from harness.task import library
from harness.task.grid import expand_rows
from plan.conftest import AddDataset, AddEncoder

Task = dict[str, Any]


# --- the text of a key ---------------------------------------------------------------------------


def slow_keys(cell: Cell, training: str, evaluation: str) -> tuple[str, str]:
    """(key, train_key) of one cell, from the whole of its plain form."""
    plain = cell.plain()
    key = digest([KEY_VERSION, plain, training, evaluation])
    if cell.selection == "test":
        return key, key
    left_out = {"views", "clip_starts", "test_dataset", "test_classes", "interpolate"}
    left_out |= {"classes"} if cell.regime == "zero_shot" or cell.train_classes else set()
    if cell.recipe is not None and cell.recipe.solver in ("lbfgs", "ridge"):
        left_out.add("classifier")  # one optimum from every start
    trained = {name: value for name, value in plain.items() if name not in left_out}
    return key, digest([KEY_VERSION, trained, training])


def test_what_a_task_accepts_changes_no_key() -> None:
    accepting = replace(BASE, allow=("equal_texts",))
    assert list(keys_of_row(accepting, [0], "t", "e")) == list(keys_of_row(BASE, [0], "t", "e"))
    assert accepting.plain()["allow"] == ("equal_texts",)


BASE = Cell(Choice("emoji"), "few_shot", Choice("e"), shots=1, prompt=Choice("class_name"))
CELLS = {
    "few shot": BASE,
    "options": replace(
        BASE, classifier=Choice("lda", (("scale", 2.0), ("shrinkage", 0.1))), recipe=Recipe(lr=1e-7)
    ),
    "options that sort after the seed": replace(BASE, text_tower="online", views="4x3"),
    "an option with the text of a seed": replace(BASE, prompt=Choice("p", (("text", '"seed":0'),))),
    "letters beyond ASCII": replace(BASE, prompt=Choice("p", (("text", "größe {} 東"),))),
    "search": replace(BASE, search=(("lr", (1e-3, 1e-4)),), val=2, selection="val"),
    "search on test": replace(BASE, search=(("lr", (1e-3,)),), selection="test", views="1x3"),
    "zero shot": Cell(
        Choice("emoji"), "zero_shot", Choice("e"), tuning="none", classes=ClassPick(5), class_seed=0
    ),
    "zero shot elsewhere": Cell(
        Choice("emoji"), "zero_shot", Choice("e"), train_classes=ClassPick(part="aligned"),
        test_dataset=Choice("other"), classes=ClassPick(part="unseen"),
    ),
    "new classes": Cell(
        Choice("emoji"), "few_shot", Choice("e"), shots=1, train_classes=ClassPick(half=0),
        test_classes="new", classes=ClassPick(pick=4), class_seed=3,
    ),
    "zero shot elsewhere, chosen on test": Cell(
        Choice("emoji"), "zero_shot", Choice("e"), train_classes=ClassPick(), selection="test",
        test_dataset=Choice("other"), search=(("lr", (1e-3,)),),
    ),
    "method": replace(BASE, paradigm=None, method=Choice("ridge"), tuning="none", val=2),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_a_key_is_the_digest_of_the_plain_cell(name: str) -> None:
    seeds = (None, 0, 1, 7, 10_000, 2**40, -3)
    expected = [slow_keys(replace(CELLS[name], seed=seed), "t", "e") for seed in seeds]
    assert list(keys_of_row(CELLS[name], seeds, "t", "e")) == expected
    assert len({key for key, _ in expected}) == len(seeds)


@pytest.mark.parametrize("name", sorted(library.tasks()))
def test_keys_of_every_task_that_comes_with_the_harness(name: str) -> None:
    """All kinds of rows, without their data."""
    for row in expand_rows(*read_like(name)):
        expected = [slow_keys(cell, "t", "e") for cell in row.cells()]
        assert list(keys_of_row(row.cell, row.seeds, "t", "e")) == expected


def sha16(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_key_written_out_by_hand(task: Task, tmp_path: Path) -> None:
    """No new field of cells or Records may change it: Records of users are found by their keys.

    Whoever changes the meaning of a default raises KEY_VERSION instead.
    """
    (cell,) = plan_of(task, tmp_path, seeds=[7]).cells
    texts = ",".join(f'["class {i}",["class {i}"]]' for i in range(10))
    training = sha16(f'["toy",[{texts}],"weights"]')
    evaluation = sha16(f'["toy",[{texts}]]')
    plain = (
        '{"classifier":"text","dataset":"elsewhere.toy","encoder":"elsewhere.enc",'
        '"prompt":"class_name","recipe":{},"regime":"few_shot","schedule":"frozen","seed":7,'
        '"shots":1}'
    )
    assert cell.key == sha16(f'[1,{plain},"{training}","{evaluation}"]')
    assert cell.train_key == sha16(f'[1,{plain},"{training}"]')
    assert (cell.key, cell.train_key) == ("84b3b751142650d6", "d817546941612306")


# --- what is in a key ----------------------------------------------------------------------------


def keys(task: Task, runs: Path, **changes: Any) -> list[tuple[str, str]]:
    return [(c.key, c.train_key) for c in plan_of(task, runs, **changes).cells]


@pytest.mark.parametrize(
    "changes",
    [
        {"shots": 2}, {"seeds": [9]}, {"resolution": 64}, {"schedule": "trained"},
        {"classes": {"pick": 3}}, {"classes": {"pick": 3, "seed": 1}}, {"recipe": {"lr": 1e-3}},
        {"prompt": {"name": "template", "text": "a {}"}}, {"classifier": "random"},
        {"classifier": {"name": "text", "scale": 3.0}}, {"paradigm": "matching"},
    ],
)  # fmt: skip
def test_other_cells_have_other_keys(task: Task, tmp_path: Path, changes: Any) -> None:
    base, other = keys(task, tmp_path), keys(task, tmp_path, **changes)
    for n in (0, 1):
        assert not {pair[n] for pair in base} & {pair[n] for pair in other}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"}, {"question": "why"}, {"report": {"rows": "shots"}}, {"save": "last"},
        {"shots": [1]}, {"recipe": {"lr": 5e-6}}, {"views": "1x1"}, {"include": [{}]},
        {"budget": {"hours": 1}},
    ],
)  # fmt: skip
def test_what_is_no_part_of_a_cell_changes_no_key(task: Task, tmp_path: Path, changes: Any) -> None:
    assert keys(task, tmp_path, **changes) == keys(task, tmp_path)


def test_content_is_in_the_key(
    task: Task, tmp_path: Path, add_dataset: AddDataset, add_encoder: AddEncoder
) -> None:
    """Other data, class names or weights under the same names make other cells."""
    seen = {keys(task, tmp_path)[0]}
    for remake in (
        lambda: add_dataset(manifest="changed"),
        lambda: add_dataset(classes=tuple(f"kind {i}" for i in range(10))),
        lambda: add_encoder(weights="changed"),
    ):
        reset()
        remake()
        pair = keys(task, tmp_path)[0]
        assert all(pair[0] != key and pair[1] != train_key for key, train_key in seen)
        seen.add(pair)


def reset() -> None:
    """Plugins of a test are opened anew."""
    from harness.core import registry

    registry.load_kind.cache_clear()


def test_the_backbone_alone_is_not_in_the_key(
    task: Task, tmp_path: Path, add_encoder: AddEncoder
) -> None:
    """`weights` covers all that an encoder computes with."""
    before = keys(task, tmp_path)
    reset()
    add_encoder(backbone="changed", logit_scale=3.0)
    assert keys(task, tmp_path) == before


def test_weights_of_another_text_encoder(
    task: Task, tmp_path: Path, add_encoder: AddEncoder
) -> None:
    changes = {"text_encoder": add_encoder("texts")}
    before = keys(task, tmp_path, **changes)
    reset()
    add_encoder("texts", weights="changed")
    after = keys(task, tmp_path, **changes)
    assert not set(sum(before, ())) & set(sum(after, ()))


def test_texts_of_a_prompt_are_in_the_key(
    task: Task, tmp_path: Path, elsewhere: Callable[..., str]
) -> None:
    """What evaluation reads is in the key where it differs: prompts came first without it."""

    def add(training: str, evaluation: str | None) -> str:
        reset()
        members: dict[str, Any] = {"texts": lambda names, options: [[training + n] for n in names]}
        if evaluation is not None:
            members["evaluation_texts"] = lambda names, options: [[evaluation + n] for n in names]
        return elsewhere("prompt", **members)

    def key_of(training: str, evaluation: str | None) -> str:
        return keys(task, tmp_path, prompt=add(training, evaluation))[0][0]

    assert key_of("a ", None) == key_of("a ", "a ")
    assert (
        len({key_of("a ", None), key_of("a ", "the "), key_of("the ", None), key_of("the ", "a ")})
        == 4
    )


def test_rows_without_a_prompt_read_class_names_alone(
    task: Task, tmp_path: Path, add_dataset: AddDataset
) -> None:
    before = keys(task, tmp_path, paradigm="vision_only")
    reset()
    add_dataset(classes=tuple(f"kind {i}" for i in range(10)))
    assert keys(task, tmp_path, paradigm="vision_only")[0] != before[0]


def test_weights_to_begin_from_are_in_the_key_by_content(task: Task, tmp_path: Path) -> None:
    first, copied, other = (tmp_path / f"{n}.safetensors" for n in ("first", "copied", "other"))
    for path, value in ((first, 0.0), (copied, 0.0), (other, 1.0)):
        scale = torch.tensor(20.0, dtype=torch.float64)
        tensors = {"projection.weight": torch.full((4, 8), value), "head.logit_scale": scale}
        save_file(tensors, path)
    plain = keys(task, tmp_path)
    begun = keys(task, tmp_path, init=str(first))
    assert begun != plain
    first.write_bytes(other.read_bytes())
    assert keys(task, tmp_path, init=str(first)) != begun
    first.write_bytes(copied.read_bytes())
    assert keys(task, tmp_path, init=str(first)) == begun


def test_a_file_that_holds_no_weights(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"no weights")
    with pytest.raises(TaskError, match=r"^task\.yaml: init: .*x\.safetensors"):
        keys(task, tmp_path, init=str(path))


# --- one training, several evaluations -----------------------------------------------------------


def test_cells_that_differ_in_the_test_set_train_once(
    task: Task, tmp_path: Path, add_dataset: AddDataset
) -> None:
    others = [add_dataset("one", manifest="one"), add_dataset("two", manifest="two")]
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {}, "test_dataset": others}
    zero["allow"] = "shared_classes"
    found = keys(task, tmp_path, **zero, seeds=1, views=["1x1", "1x3"])
    assert len({key for key, _ in found}) == 4
    assert len({train_key for _, train_key in found}) == 1


def test_cells_chosen_on_the_test_set_are_trained_for_it(task: Task, tmp_path: Path) -> None:
    chosen = {"search": {"recipe.lr": [1e-3]}, "selection": "test", "allow_test_selection": True}
    found = keys(task, tmp_path, **chosen, seeds=1, views=["1x1", "1x3"])
    assert len({train_key for _, train_key in found}) == 2


def test_training_classes_decide_the_training_and_tested_ones_do_not(
    task: Task, tmp_path: Path
) -> None:
    """Except that training classes are drawn around them; those are in the hash."""
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {"from": "rear"}, "seeds": 1}
    first, second, overlapping = (
        keys(task, tmp_path, **zero, classes=f"{tmp_path}/{file}")[0]
        for file, classes in (("a", "0 1"), ("b", "1 2"), ("c", "0 5"))
        if (tmp_path / file).write_text("".join(f"class {c}\n" for c in classes.split()))
    )
    assert first[0] != second[0]
    assert first[1] == second[1]
    assert overlapping[1] != first[1]
