"""Task -> [Cell]. Pure: the product of the axes, with null where an axis has no meaning."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from harness.core import registry
from harness.core.cells import Cell, Choice, Recipe
from harness.core.errors import BadInput, TaskError, nearest
from harness.task.read import plain, replace_keys, validate
from harness.task.schema import Task

#: Axes in the order in which reports list them.
AXES = (
    "dataset", "regime", "shots", "fraction", "class_seed", "test_dataset", "encoder",
    "text_encoder", "alignment", "prompt", "temporal", "frames", "resolution", "views",
    "classifier", "schedule", "paradigm", "gather", "text_tower", "loss", "method", "tuning",
)  # fmt: skip
#: Frames of a clip where the task does not say it (section 4.2).
FRAMES = 8
RECIPE_AXES = tuple(f.name for f in fields(Recipe))


def expand(task: Task, where: str = "task") -> list[Cell]:
    """Every cell of the grid, each once, in the order of the YAML.

    `include` entries are the task with some keys replaced; their cells are added. `exclude`
    entries take out the cells that they match.

    Raises TaskError for an include or exclude that names no axis.
    """
    variants = [task] + [_included(task, extra, where) for extra in task.include]
    seen: dict[Cell, None] = {}
    for variant in variants:
        for cell in _product(variant):
            seen.setdefault(cell)
    rules = [rule(entry, where) for entry in task.exclude]
    return [cell for cell in seen if not any(matches(cell, rule) for rule in rules)]


def value_of(cell: Cell, axis: str) -> Any:
    """The value of a cell on an axis; recipe axes are dotted: `recipe.lr`."""
    head, _, rest = axis.partition(".")
    value = getattr(cell, head)
    return getattr(value, rest) if rest and value is not None else value


def _included(task: Task, extra: Mapping[str, Any], where: str) -> Task:
    data = replace_keys(plain(task), extra) | {"include": []}
    return validate(data, f"{where}: include")


def _product(task: Task) -> Iterator[Cell]:
    axes = {name: getattr(task, name) or [None] for name in AXES}
    axes["class_seed"] = task.class_seed or [task.classes.seed]
    classes = task.classes.to_pick()
    train_classes = task.train_classes.to_pick() if task.train_classes else None
    seeds = task.seed_list()
    once: dict[tuple[Any, ...], None] = {}
    for values in itertools.product(*axes.values()):
        settings = dict(zip(axes, values, strict=True))
        settings |= {"classes": classes, "train_classes": train_classes, **_search(task)}
        _null_what_has_no_meaning(settings)
        key = tuple(settings.items())
        if key in once:
            continue
        once[key] = None
        for recipe in _recipes(task, settings):
            for seed in seeds if is_random(settings) else [None]:
                yield Cell(**settings, recipe=recipe, seed=seed)


def _null_what_has_no_meaning(s: dict[str, Any]) -> None:
    if s["regime"] != "few_shot":
        s["shots"] = None
    if s["regime"] != "fraction":
        s["fraction"] = None
    if s["regime"] != "zero_shot":
        s["test_dataset"] = s["train_classes"] = None
    elif s["train_classes"] is None or s["tuning"] == "none":
        s["tuning"], s["train_classes"] = "none", None  # nothing is trained on
    if s["classes"].pick is None:
        s["class_seed"] = None  # nothing is drawn
    if s["temporal"] == Choice("none"):
        s["temporal"] = s["frames"] = None
    elif s["frames"] is None:
        s["frames"] = FRAMES
    _null_of_the_head(s)


def _null_of_the_head(s: dict[str, Any]) -> None:
    made_of = uses("paradigm", s["paradigm"])
    if "classifier" not in made_of:
        s["classifier"] = s["schedule"] = None
    if not made_of:
        s["prompt"] = None
    if s["paradigm"].name != "matching":
        s["gather"] = s["text_tower"] = s["loss"] = None
    if not _uses_text(s):
        s["text_encoder"] = s["alignment"] = None
        if s["prompt"] is not None:
            s["prompt"] = Choice("class_name")  # whatever it is, nobody reads the texts
    if s["tuning"] == "none":
        if s["text_tower"] is not None:
            s["text_tower"] = "offline"  # nothing is trained
        s["schedule"] = s["search"] = s["val"] = None
        s["selection"] = "last"


def _search(task: Task) -> dict[str, Any]:
    spaces = tuple(
        (key.removeprefix("recipe."), tuple(values)) for key, values in (task.search or {}).items()
    )
    return {
        "search": spaces or None,
        "val": task.val,
        "selection": task.selection,
        "init": task.init,
    }


def _recipes(task: Task, s: Mapping[str, Any]) -> list[Recipe | None]:
    """The recipes of a row; `recipe.by: {vision_only: {...}}` changes those that bear the name."""
    if s["tuning"] == "none":
        return [None]
    lists = {name: getattr(task.recipe, name) for name in RECIPE_AXES}
    for choice in (s["paradigm"], s["classifier"], s["method"]):
        own = task.recipe.by.get(choice.name) if choice else None
        if own is not None:
            lists |= {name: getattr(own, name) for name in own.model_fields_set}
    # A searched key has no value of its own: every value of the search takes its place.
    lists |= {key.removeprefix("recipe."): v[:1] for key, v in (task.search or {}).items()}
    return [Recipe(**dict(zip(lists, v, strict=True))) for v in itertools.product(*lists.values())]


def _uses_text(s: Mapping[str, Any]) -> bool:
    """Whether a text encoder has a meaning for the cell."""
    if s["method"] is not None:
        return True
    return "text" in uses("paradigm", s["paradigm"]) | uses("classifier", s["classifier"])


def is_random(s: Mapping[str, Any]) -> bool:
    """Whether anything in the cell depends on the seed."""
    if s["tuning"] != "none":
        return True
    made_of = uses("classifier", s["classifier"]) | uses("alignment", s["alignment"])
    draws = s["regime"] in ("few_shot", "fraction")
    return "seed" in made_of or ("support" in made_of and draws)


def uses(kind: str, choice: Choice | str | None) -> frozenset[str]:
    """What a plugin says it is made of; nothing for a name that planning will refuse."""
    if choice is None:
        return frozenset()
    try:
        plugin = registry.plugin(kind, str(getattr(choice, "name", choice)))
        return frozenset(getattr(plugin, "USES", ()))
    except BadInput:
        return frozenset()


def rule(entry: Mapping[str, Any], where: str) -> list[tuple[str, Any]]:
    """A partial cell, as `exclude` and --rerun take it.

    Raises TaskError for a key that is no axis.
    """
    known = [*AXES, "seed", *(f"recipe.{name}" for name in RECIPE_AXES)]
    for key in entry:
        if key not in known:
            raise TaskError(
                where,
                key,
                "there is no such axis",
                allowed=known,
                nearest=nearest(key, known),
            )
    return list(entry.items())


def matches(cell: Cell, partial: list[tuple[str, Any]]) -> bool:
    """Whether a cell has all that a partial cell says."""
    for axis, wanted in partial:
        value = value_of(cell, axis)
        value = value.plain() if isinstance(value, Choice) else value
        name = value["name"] if isinstance(value, dict) else value
        options = wanted if isinstance(wanted, list) else [wanted]
        if value not in options and name not in options:
            return False
    return True
