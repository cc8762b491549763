"""YAML -> Task. Every error names file, key, value, what is allowed and the nearest name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.core.cells import Choice
from harness.core.errors import TaskError, nearest
from harness.task import library, yaml_reader
from harness.task.checks import check_task
from harness.task.messages import first_problem
from harness.task.overrides import apply_override, changed_recipe, replace_keys, with_keys
from harness.task.protocols import with_protocol
from harness.task.sample_keys import SupportViewsModel, written_choice
from harness.task.schema import (
    ClaimModel,
    ClassesModel,
    EarlierSearch,
    EmbeddedModel,
    NamedRecipeModel,
    RecipeModel,
    ReportModel,
    Task,
    recipe_key,
)
from harness.task.schema_types import PerShot, ProximalModel
from harness.task.tuning import HeadModel, LoraModel, StageModel, StageRecipe, TuningModel

#: The format of keys whose text must have one.
FORMS = {
    "name": "letters, digits, '_', '.' and '-', a letter or digit first",
    "recipe.name": "letters, digits, '_' and '-', a letter or digit first",
    "views": "CLIPSxCROPS, each 1 to 99, as in 1x1 or 4x3",
    "schedule": "frozen, trained, released:EPOCH",
}
#: Keys that have keys of their own.
_MODELS: dict[str, type[BaseModel]] = {
    "recipe": RecipeModel,
    "report": ReportModel,
    "classes": ClassesModel,
    "train_classes": ClassesModel,
    "support_views": SupportViewsModel,
    "embedded": EmbeddedModel,
    "claims": ClaimModel,
}


def read_task(
    path: Path,
    overrides: Sequence[str] = (),
    embedded: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> Task:
    """The task in a file, with `changes` (key to value) and then `key=value` overrides applied.

    `embedded` takes its variant on embedded data, NAME_embedded, and changes that.

    Raises TaskError.
    """
    data = yaml_reader.read(path)
    if embedded:
        data = _on_embedded_data(data, str(path))
    data = replace_keys(data, changes or {})
    for override in overrides:
        apply_override(data, override)
    return validate(data, str(path))


def validate(data: dict[str, Any], where: str) -> Task:
    """Data to Task; `where` names the file in errors.

    Raises TaskError.
    """
    data = with_protocol(_with_presets(data, where), where)
    try:
        task = Task.model_validate(data)
    except ValidationError as error:
        problem = first_problem(error, _keys_at, FORMS)
        raise replace(problem, key=_with_names(problem.key, data)).of_file(where) from error
    except RecursionError as error:
        raise TaskError(where, "", "is nested too deeply") from error
    check_task(task, where)
    return task


def _with_presets(data: dict[str, Any], where: str) -> dict[str, Any]:
    """`recipe: {preset: NAME, ...}` is tasks/recipes/NAME.yaml with some keys replaced."""
    if "recipe" not in data:
        return data
    return data | {"recipe": changed_recipe(data["recipe"], lambda own: _preset(own, where))}


def _preset(recipe: dict[str, Any], where: str) -> dict[str, Any]:
    if recipe.get("preset") is None:
        return recipe  # no preset, or null as in a resolved task
    known = library.recipes()
    name = recipe["preset"]
    if not isinstance(name, str) or name not in known:
        raise TaskError(
            where, f"{recipe_key(recipe.get('name'))}.preset",
            f"{name!r}: there is no such recipe", allowed=known, nearest=nearest(str(name), known),
        )  # fmt: skip
    changed = {key: value for key, value in recipe.items() if key != "preset"}
    return with_keys(yaml_reader.read(known[name]), changed)


def _on_embedded_data(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The task with the keys of `embedded.replace`.

    Raises TaskError for a task without such a variant.
    """
    task = validate(data, where)
    variant = task.embedded
    if variant is None:
        raise TaskError(where, "embedded", "is missing: the task has no variant on embedded data")
    if variant.relation == "not_testable":
        raise TaskError(
            where, "embedded", f"the task cannot be run on embedded data: {variant.why}"
        )
    replaced = replace_keys(data, variant.replace)
    replaced["embedded"] = {"relation": variant.relation, "why": variant.why}
    return replaced | {"name": f"{task.name}_embedded"}


#: Keys below a tuned part and below a stage, by the last key of a location.
_OF_TUNED: dict[str, type[BaseModel]] = {
    "head": HeadModel, "lora": LoraModel, "tuning": TuningModel,
}  # fmt: skip
#: Keys of the recipe and of the report that have keys of their own.
_INSIDE: dict[str, type[BaseModel]] = {
    "iterations": PerShot, "proximal": ProximalModel, "chosen_by": EarlierSearch,
}  # fmt: skip
_OF_STAGE = _OF_TUNED | {"recipe": StageRecipe}


def _keys_at(location: Sequence[str]) -> list[str]:
    """The keys that are allowed below a location."""
    fields = _model_at(location).model_fields.items()
    return [f.alias or name for name, f in fields]


def _model_at(location: Sequence[str]) -> type[BaseModel]:
    if not location:
        return Task
    first, last = location[0], location[-1]
    if first == "tuning":
        return _OF_TUNED[last]
    if first.startswith("stages"):
        return _OF_STAGE.get(last, StageModel)
    if last in _INSIDE:
        return _INSIDE[last]
    if first.startswith("recipe["):
        return RecipeModel if "by" in location else NamedRecipeModel
    return _MODELS.get(first, Task)


def _with_names(key: str, data: Mapping[str, Any]) -> str:
    """recipe[1].lr with the name of that recipe: recipe.own.lr."""
    found = re.match(r"recipe\[(\d+)\](?=\.)", key)
    recipe = data["recipe"][int(found[1])] if found else None
    name = recipe.get("name") if isinstance(recipe, dict) else None
    if found is None or not isinstance(name, str) or key.endswith("].name"):
        return key
    return recipe_key(name) + key[found.end() :]


def json_schema() -> dict[str, Any]:
    """The JSON schema of a task, for editors."""
    schema = Task.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "task"
    return schema


def as_yaml(task: Task) -> str:
    """The task as resolved: every key, overrides applied."""
    import yaml

    return yaml.safe_dump(plain(task), sort_keys=False, allow_unicode=True)


def plain(value: Any) -> Any:
    """The YAML form of a task or of a part of it."""
    if isinstance(value, Choice):
        return written_choice(value)
    if isinstance(value, BaseModel):
        if isinstance(value, RecipeModel) and value.model_fields_set <= {"name"}:
            return _changes(value)  # a task that names no key is read as one again
        fields = sorted(type(value).model_fields.items(), key=lambda field: field[0] != "name")
        return {f.alias or n: plain(getattr(value, n)) for n, f in fields}
    if isinstance(value, dict):
        return {k: _changes(v) if isinstance(v, RecipeModel) else v for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def _changes(recipe: RecipeModel) -> dict[str, Any]:
    """The keys that a `recipe.by` entry sets, without defaults."""
    return {name: plain(getattr(recipe, name)) for name in sorted(recipe.model_fields_set)}
