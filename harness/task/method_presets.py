"""Methods that are presets of axes: `method: clap` stands for the keys in baselines/clap.yaml.

Such a cell is the one that a task with these keys has: it has the same key, and the name is a label
of reports. A preset file holds `about` (paper, protocol and deviations), `task` (the keys), and
perhaps `search` (what `search: declared` tries). Its recipe takes the place of the task's; of
`support_views` it may say the use alone, where the task has views. Options in a task are keys of
the recipe, `{name: clap, epochs: 50}`, of the adapters, `{name: clip_lora, towers: [text]}`, and
interpolate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from harness.core import registry
from harness.core.cells import Choice
from harness.core.errors import TaskError, nearest
from harness.task import yaml_reader
from harness.task.overrides import with_keys
from harness.task.read import plain, validate
from harness.task.schema import DECLARED, RecipeModel, Task
from harness.task.tuning import LoraModel

#: Keys of a preset's task that an option may change, where the preset has them.
PLAIN = ("interpolate",)


@dataclass(frozen=True)
class Preset:
    """What a file of baselines/ says."""

    about: str
    task: Mapping[str, Any]
    search: Mapping[str, Any] | None = None


@cache
def preset(name: str) -> Preset:
    """Raises TaskError for a file with other keys than these."""
    file = registry.presets("method")[name]
    data = yaml_reader.read(file)
    known = ("about", "task", "search")
    for key in data:
        if key not in known:
            raise TaskError(str(file), key, "there is no such key", allowed=known)
    return Preset(data["about"], data["task"], data.get("search"))


def variants_of_methods(task: Task, where: str) -> Iterator[tuple[Task, Choice | None]]:
    """The task with its methods that are plugins, and what every preset makes of it, with the
    preset's name; in the order of the task's methods.

    Raises TaskError for an option that is no key of a recipe.
    """
    known = registry.presets("method")
    groups = groupby(task.method, lambda m: m if m is not None and m.name in known else None)
    for named, methods in groups:
        if named is None:
            yield task.model_copy(update={"method": list(methods)}), None
        else:
            yield _variant(task, named, f"{where}: method {named.name}"), named


def _variant(task: Task, named: Choice, where: str) -> Task:
    chosen = preset(named.name)
    lora = _adapters(chosen.task)
    known = [*RecipeModel.model_fields, *(LoraModel.model_fields if lora is not None else ())]
    known = list(dict.fromkeys([*known, *(key for key in PLAIN if key in chosen.task)]))
    for key in dict(named.options):
        if key not in known:
            of_adapters = "" if lora is None else " and of its adapters"
            problem = f"is no option of this preset: they are keys of its recipe{of_adapters}"
            raise TaskError(where, key, problem, allowed=known, nearest=nearest(key, known))
    options = {key: plain(value) for key, value in named.options}
    own = {k: v for k, v in options.items() if lora is not None and k in LoraModel.model_fields}
    changes = {k: v for k, v in options.items() if k in RecipeModel.model_fields and k not in own}
    data = plain(task) | {"claims": [], "embedded": None, "include": [], "exclude": []}
    data |= {"method": None, "recipe": {}} | dict(chosen.task)
    if own.get("towers") in ("text", ["text"]):  # pictures are encoded once
        data["recipe"] = {**data["recipe"], "augment": "none"}
    data["recipe"] = with_keys(data["recipe"], _strengths(data["recipe"], changes))
    if lora is not None:
        data["tuning"] = {"lora": lora | own}
    data |= {key: options[key] for key in PLAIN if key in options}
    data["support_views"] = _views(task, chosen.task.get("support_views"))
    if task.search == DECLARED:
        data["search"] = chosen.search
        if chosen.search is None:
            data |= {"selection": "last", "allow_test_selection": False, "val": None}
    return validate(data, where)


def _adapters(keys: Mapping[str, Any]) -> dict[str, Any] | None:
    """The options of the adapters that a preset trains; None if it trains none."""
    tuning = keys.get("tuning")
    if tuning == "lora":
        return {}
    return dict(tuning["lora"]) if isinstance(tuning, Mapping) and "lora" in tuning else None


def _strengths(recipe: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, where a number for a proximal term is its strength, as in a search: whether it
    is relative, and to what, remains that of the preset.
    """
    value, term = changes.get("proximal"), recipe.get("proximal")
    if isinstance(value, int | float) and isinstance(term, Mapping):
        return {**changes, "proximal": {**term, "strength": value}}
    return dict(changes)


def _views(task: Task, wanted: Mapping[str, Any] | None) -> list[Any]:
    """The views of the task in the use of the preset; as the task has them if it names none."""
    written: list[Any] = plain(task.support_views)
    if wanted is None:
        return written
    return [None if views is None else {**views, **wanted} for views in written]
