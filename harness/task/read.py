"""YAML -> Task. Every error names file, key, value, what is allowed and the nearest name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ValidationError,
)

from harness.core import registry
from harness.core.cells import Choice
from harness.core.errors import TaskError, nearest
from harness.task import library, yaml_reader
from harness.task.schema import (
    ClaimModel,
    ClassesModel,
    EmbeddedModel,
    RecipeModel,
    ReportModel,
    Task,
)

#: Folders of a runs folder that belong to no task.
RESERVED = ("cells", "tests", "support", "logs", "jobs", "quarantine", "checkpoints")
MAX_SEEDS = 10_000
#: What a search may try: what changes how well a recipe fits, not what it computes with.
SEARCHED = (
    "lr", "lr_new", "weight_decay", "warmup_epochs", "epochs", "batch", "decay", "dropout",
    "optimiser", "logit_scale", "train_logit_scale",
)  # fmt: skip

#: What text has to look like where a key has a form of its own.
FORMS = {
    "name": "letters, digits, '_', '.' and '-', a letter or digit first",
    "views": "CLIPSxCROPS, each 1 to 99, as in 1x1 or 4x3",
    "schedule": "frozen, trained, released:EPOCH",
}

# --- reading ---------------------------------------------------------------------------------

#: Keys of the contract whose other values are refused for now, with the sentence that says so.
_LATER = {
    "split": (None, "official splits are not built yet"),
}


def read_task(path: Path, overrides: Sequence[str] = (), embedded: bool = False) -> Task:
    """The task in a file, with `key=value` overrides applied.

    `embedded`: its variant on the data that packages carry, NAME_embedded; overrides change that.

    Raises TaskError.
    """
    data = yaml_reader.read(path)
    if embedded:
        data = _on_embedded_data(data, str(path))
    for override in overrides:
        _apply(data, override)
    return validate(data, str(path))


def validate(data: dict[str, Any], where: str) -> Task:
    """Data to Task; `where` names the file in errors.

    Raises TaskError.
    """
    data = _with_preset(data, where)
    try:
        task = Task.model_validate(data)
    except ValidationError as error:
        raise _explain(error, where) from error
    except RecursionError as error:
        raise TaskError(where, "", "is nested too deeply") from error
    _check_sense(task, where)
    return task


def _with_preset(data: dict[str, Any], where: str) -> dict[str, Any]:
    """`recipe: {preset: NAME, ...}` is tasks/recipes/NAME.yaml with some keys replaced."""
    recipe = data.get("recipe")
    if not isinstance(recipe, dict) or recipe.get("preset") is None:
        return data  # none, or null as in a task that was written as resolved
    known = library.recipes()
    name = recipe["preset"]
    if name not in known:
        raise TaskError(
            where,
            "recipe.preset",
            f"{name!r}: there is no such recipe",
            allowed=known,
            nearest=nearest(str(name), known),
        )
    own = {key: value for key, value in recipe.items() if key != "preset"}
    return data | {"recipe": yaml_reader.read(known[name]) | own}


def _on_embedded_data(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The task with the keys of `embedded.replace` in the place of its own.

    Raises TaskError for a task that has no such variant.
    """
    told = validate(data, where)
    variant = told.embedded
    if variant is None:
        raise TaskError(where, "embedded", "is missing: the task does not say what stands for it")
    if variant.relation == "not_testable":
        raise TaskError(where, "embedded", f"the task cannot be tested so: {variant.why}")
    replaced = replace_keys(data, variant.replace)
    replaced["embedded"] = {"relation": variant.relation, "why": variant.why}
    return replaced | {"name": f"{told.name}_embedded"}


def replace_keys(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Task data with some keys replaced; under `recipe` only those that the change names, unless
    it begins from a preset of its own.
    """
    recipe, own = data.get("recipe"), changes.get("recipe")
    merged = dict(data) | dict(changes)
    if isinstance(recipe, dict) and isinstance(own, dict) and "preset" not in own:
        merged["recipe"] = recipe | own
    return merged


def _apply(data: dict[str, Any], override: str) -> None:
    """Set a dotted key: `recipe.lr=1e-3`, `shots=[1, 16]`."""
    key, _, text = override.partition("=")
    value = yaml_reader.parse(text, f"override {override}")
    *parents, last = key.split(".")
    place = data
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise TaskError("override", key, f"'{parent}' has no keys below it")
        place = inner
    place[last] = value


def _check_sense(task: Task, where: str) -> None:
    """What no single key can say."""
    for key, (built, why) in _LATER.items():
        if getattr(task, key) != built:
            raise TaskError(where, key, why)
    if task.name in RESERVED:
        raise TaskError(where, "name", f"'{task.name}' is a folder that every task shares")
    _check_seeds(task, where)
    _check_class_draw(task, where)
    _check_selection(task, where)
    _check_search(task, where)
    _check_recipe_by(task, where)
    _check_embedded(task, where)
    needs = {"few_shot": "shots", "fraction": "fraction"}
    for regime, key in needs.items():
        if regime in task.regime and getattr(task, key) is None:
            raise TaskError(where, key, f"is needed by regime '{regime}'")
        if getattr(task, key) is not None and regime not in task.regime:
            raise TaskError(where, key, f"has a meaning only in regime '{regime}'")
    if task.test_dataset is not None and "zero_shot" not in task.regime:
        raise TaskError(where, "test_dataset", "has a meaning only in regime 'zero_shot'")
    if task.train_classes is not None and "zero_shot" not in task.regime:
        raise TaskError(where, "train_classes", "has a meaning only in regime 'zero_shot'")


def _check_class_draw(task: Task, where: str) -> None:
    if task.class_seed is not None and task.classes.pick is None:
        raise TaskError(where, "class_seed", "has a meaning only with classes.pick")
    if task.class_seed is not None and task.classes.seed != 0:
        raise TaskError(
            where,
            "classes.seed",
            "is set beside class_seed, which holds the seeds of the draw: leave it out of classes",
        )


def _check_embedded(task: Task, where: str) -> None:
    """What `--embedded` would put in is a task's, before anybody asks for it."""
    known = [name for name in Task.model_fields if name not in ("name", "embedded")]
    for key in task.embedded.replace if task.embedded else ():
        if key not in known:
            raise TaskError(
                where, f"embedded.replace.{key}", "there is no such key", allowed=known,
                nearest=nearest(key, known),
            )  # fmt: skip


def _check_selection(task: Task, where: str) -> None:
    """Hyper-parameters are chosen on validation samples, or on the test set if that is said twice.

    Choosing on the test set is what some published numbers rest on: it can be reproduced, and its
    report says so on every row.
    """
    on_test = task.selection == "test"
    if on_test and not task.allow_test_selection:
        raise TaskError(
            where, "selection", "choosing on the test set inflates what is reported and is refused "
            "unless allow_test_selection: true stands beside it", allowed=("last", "val"),
        )  # fmt: skip
    if task.allow_test_selection and not on_test:
        raise TaskError(where, "allow_test_selection", "has a meaning only with selection: test")
    if on_test and task.val:
        raise TaskError(where, "val", "has no meaning with selection: test, which needs no samples")
    needs: dict[str, object] = {"search": task.search}
    if on_test:
        needs["selection: test"] = True
    else:
        needs |= {"val": task.val, "selection: val": task.selection == "val"}
    given = [key for key, value in needs.items() if value]
    missing = [key for key in needs if key not in given]
    if given and missing:
        raise TaskError(where, given[0], f"needs {' and '.join(missing)} beside it")


def _check_search(task: Task, where: str) -> None:
    for key, values in (task.search or {}).items():
        name = key.removeprefix("recipe.")
        if not key.startswith("recipe.") or name not in SEARCHED:
            raise TaskError(
                where,
                f"search.{key}",
                "cannot be searched",
                allowed=[f"recipe.{n}" for n in SEARCHED],
                nearest=nearest(key, [f"recipe.{n}" for n in SEARCHED]),
            )
        if not values:
            raise TaskError(where, f"search.{key}", "names no value to try")
        by = [row for row, change in task.recipe.by.items() if name in change.model_fields_set]
        if len(getattr(task.recipe, name)) > 1 or by:
            what = f"recipe.by.{by[0]}" if by else "a list under recipe"
            raise TaskError(where, f"search.{key}", f"is searched and set by {what}: leave one")
        try:
            RecipeModel.model_validate({name: values})
        except ValidationError as error:
            raise _explain(error, f"{where}: search") from error


def _check_recipe_by(task: Task, where: str) -> None:
    named = [n for kind in ("classifier", "paradigm") for n in registry.names(kind)]
    for name, changes in task.recipe.by.items():
        if name not in named and "." not in name and ":" not in name:
            raise TaskError(
                where,
                f"recipe.by.{name}",
                "no row can have this name",
                allowed=named,
                nearest=nearest(name, named),
            )
        if changes.preset is not None or changes.by:
            raise TaskError(where, f"recipe.by.{name}", "takes keys of a recipe, not preset or by")


def _check_seeds(task: Task, where: str) -> None:
    if isinstance(task.seeds, int) and task.seeds > MAX_SEEDS:
        raise TaskError(where, "seeds", f"{task.seeds} is more than {MAX_SEEDS}")
    seeds = task.seed_list()
    if not seeds:
        raise TaskError(where, "seeds", f"{task.seeds} leaves no seed; give 1 or more")
    if len(set(seeds)) != len(seeds):
        raise TaskError(where, "seeds", f"{task.seeds} names a seed twice")


def _explain(error: ValidationError, where: str) -> TaskError:
    """One sentence for the first thing that is wrong."""
    problem = error.errors()[0]
    location = [part for part in problem["loc"] if isinstance(part, str) and part[:1].islower()]
    names_of_types = {"int", "str", "float", "list", "constrained-int", "constrained-float"}
    location = [p for p in location if p not in names_of_types and "[" not in p]
    key = ".".join(location)
    value = problem.get("input")
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = _keys_at(location[:-1])
        return TaskError(
            where, key, "there is no such key", allowed=known, nearest=nearest(location[-1], known)
        )
    if kind == "missing":
        return TaskError(where, key, "is missing")
    if kind == "literal_error":
        allowed = [
            a.strip("'") for a in problem["ctx"]["expected"].replace(" or ", ", ").split(", ")
        ]
        return TaskError(
            where,
            key,
            f"{value!r} is not allowed",
            allowed=allowed,
            nearest=nearest(str(value), allowed),
        )
    if kind in ("string_pattern_mismatch", "string_type") and key in FORMS:
        return TaskError(where, key, f"{value!r} is not allowed", allowed=[FORMS[key]])
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(value, dict) and len(str(value)) > 80 else f"{value!r}: "
    return TaskError(where, key, f"{shown}{message[:1].lower()}{message[1:]}")


def _keys_at(location: Sequence[str]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "recipe": RecipeModel,
        "report": ReportModel,
        "classes": ClassesModel,
        "train_classes": ClassesModel,
        "embedded": EmbeddedModel,
        "claims": ClaimModel,
    }
    model = models.get(location[0], Task) if location else Task
    return [f.alias or name for name, f in model.model_fields.items()]


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
        return value.plain()
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {f.alias or n: plain(getattr(value, n)) for n, f in fields.items()}
    if isinstance(value, dict):
        return {k: _changes(v) if isinstance(v, RecipeModel) else v for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def _changes(recipe: RecipeModel) -> dict[str, Any]:
    """What a `recipe.by` entry says, without the defaults that it leaves to the recipe."""
    return {name: plain(getattr(recipe, name)) for name in sorted(recipe.model_fields_set)}
