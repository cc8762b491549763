"""The protocol of the paper's public code: its values, and that a task's own keys win."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core.cells import Cell, Recipe
from harness.core.errors import TaskError
from harness.task import library, yaml_reader
from harness.task.grid import expand
from harness.task.read import as_yaml, read_task, validate
from harness.task.schema import Task

TASK: dict[str, Any] = {
    "name": "public", "dataset": "video:data/k400", "regime": "full", "encoder": "open_clip:a/b",
    "temporal": "t_trans", "tuning": "all", "protocol": "text4vis", "seeds": 1,
}  # fmt: skip


def task(**changes: Any) -> Task:
    return validate({**TASK, **changes}, "task.yaml")


def cell(**changes: Any) -> Cell:
    (found,) = expand(task(**changes))
    return found


def options(choice: Any) -> dict[str, Any]:
    return dict(choice.options)


def test_the_values_of_text4vis() -> None:
    """Each is a choice of the public code; tests of its own file hold what it does."""
    found = cell(views="4x3")
    assert (found.clip_starts, found.crops) == ("linspace", "full_resolution")
    recipe = found.recipe
    assert recipe is not None
    assert (recipe.augment, recipe.crop, recipe.repeats) == ("crop_flip", "tsn", "random")
    assert (recipe.lr_every, recipe.batch_norm) == (10, "updated")
    assert options(found.dataset) == {"position": "first", "min_frames": 1, "leave_out_below": 8}
    assert found.temporal is not None
    assert options(found.temporal) == {"heads": "text_width", "positions": 77}
    few = cell(regime="few_shot", shots=2, prompt={"name": "learnable", "context": 4})
    assert few.recipe is not None
    assert few.recipe.epoch_length == "full"
    assert few.prompt is not None
    assert options(few.prompt) == {"context": 4, "full_stop": True}


def test_it_says_nothing_else() -> None:
    """A value that the defaults have as well is no part of it, nor one of the known faults."""
    preset = yaml_reader.read(library.protocols()["text4vis"])
    assert set(preset) == {"clip_starts", "crops", "recipe", "options"}
    defaults = Task.model_fields
    assert all(defaults[key].get_default() != [preset[key]] for key in ("clip_starts", "crops"))
    assert all(getattr(Recipe(), key) != value for key, value in preset["recipe"].items())


def test_without_it_a_task_is_what_it_was() -> None:
    plain = cell(protocol=None)
    assert plain.plain() == {
        "dataset": "video:data/k400", "regime": "full", "encoder": "open_clip:a/b",
        "prompt": "class_name", "temporal": "t_trans", "frames": 8, "classifier": "text",
        "schedule": "frozen", "tuning": "all", "recipe": {}, "seed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"crops": None}, lambda c: c.crops is None),
        ({"recipe": {"lr_every": 3}}, lambda c: (c.recipe.lr_every, c.recipe.crop) == (3, "tsn")),
        ({"recipe": {"crop": None}}, lambda c: (c.recipe.crop, c.recipe.lr_every) == (None, 10)),
        ({"recipe": {"preset": "text4vis", "epochs": 3}},
         lambda c: (c.recipe.epochs, c.recipe.lr_every, c.recipe.precision) == (3, 10, "bfloat16")),
        ({"dataset": {"name": "video:a", "position": "centre"}},
         lambda c: options(c.dataset)["position"] == "centre"
         and options(c.dataset)["leave_out_below"] == 8),
        ({"temporal": {"name": "t_trans", "heads": 4, "layers": 2}},
         lambda c: options(c.temporal) == {"heads": 4, "layers": 2, "positions": 77}),
        ({"temporal": "tap"}, lambda c: c.temporal.plain() == "tap"),
        ({"dataset": "emoji"}, lambda c: c.dataset.plain() == "emoji"),
    ],
)  # fmt: skip
def test_what_a_task_says_wins(changes: dict[str, Any], found: Any) -> None:
    assert found(cell(**changes))


def test_every_data_set_of_videos_gets_the_options() -> None:
    listed = task(
        dataset=["video:a", {"name": "video:b", "split": 2}, "emoji"], regime="zero_shot",
        test_dataset={"name": "video:c", "split": "all"},
    )  # fmt: skip
    assert [options(d).get("position") for d in listed.dataset] == ["first", "first", None]
    assert listed.test_dataset is not None
    assert options(listed.test_dataset[0])["position"] == "first"


def test_keys_without_a_meaning_are_null() -> None:
    frozen = cell(tuning="projection", recipe={"augment": "none"})
    recipe = frozen.recipe
    assert recipe is not None
    assert recipe.plain() == {"lr_every": 10}
    assert frozen.clip_starts is None, "one clip"
    plain = cell(recipe={"augment": "none"})
    assert plain.recipe is not None
    assert plain.recipe.crop is None
    assert plain.recipe.epoch_length is None, "no few-shot"


def test_a_task_as_resolved_reads_back_as_itself(tmp_path: Path) -> None:
    written = task(views="4x3", recipe={"lr_every": 1}, crops=None)
    (tmp_path / "task.yaml").write_text(as_yaml(written), encoding="utf-8")
    assert read_task(tmp_path / "task.yaml") == written


def test_entries_of_include_keep_it() -> None:
    cells = expand(task(temporal="tap", include=[{"temporal": "t_trans", "recipe": {"lr": 1e-4}}]))
    last = cells[-1]
    assert last.temporal is not None
    assert last.recipe is not None
    assert options(last.temporal)["heads"] == "text_width"
    assert (last.recipe.lr, last.recipe.lr_every) == (1e-4, 10)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"protocol": "text4viz"}, "protocol: 'text4viz': there is no such protocol.*text4vis'"),
        ({"protocol": ["text4vis"]}, "protocol: .*there is no such protocol"),
        ({"protocol": 4}, "protocol: 4: there is no such protocol"),
        ({"dataset": 3}, "dataset"), ({"recipe": 3}, "recipe"),
        ({"temporal": {"heads": 3}}, "temporal"), ({"recipe": {"preset": ["a"]}}, "recipe.preset"),
        ({"crops": "squares"}, "crops: 'squares' is not allowed; allowed: full_resolution"),
        ({"clip_starts": "linspac"}, "clip_starts: 'linspac' is not allowed.*linspace"),
        ({"recipe": {"crop": "tns"}}, "recipe.crop: 'tns' is not allowed"),
        ({"recipe": {"lr_every": 0}}, "recipe.lr_every"),
    ],
)  # fmt: skip
def test_what_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        task(**changes)


def test_include_cannot_change_it() -> None:
    for value in ("text4vis", None):
        with pytest.raises(TaskError, match="include: protocol: cannot be changed here"):
            expand(task(include=[{"protocol": value}]))


def test_an_override_names_it(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in TASK.items() if k != "protocol"}))
    assert read_task(path, ["protocol=text4vis"]) == read_task(
        path, changes={"protocol": "text4vis"}
    )
    assert read_task(path, ["protocol=text4vis"]).crops == ["full_resolution"]


def test_it_is_no_task() -> None:
    assert not [name for name in library.tasks() if "protocols" in name or name == "text4vis"]
