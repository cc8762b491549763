"""Checks across the keys of a task: keys that need each other, or exclude each other."""

from __future__ import annotations

from pydantic import ValidationError

from harness.core import not_built, registry
from harness.core.cells import COOP_VAL
from harness.core.errors import TaskError, nearest
from harness.core.perils import PERILS
from harness.task.classifiers import reads_validation
from harness.task.messages import first_problem
from harness.task.method_search import (
    check_method_search,
    check_search_budget,
    method_options,
)
from harness.task.recipe_by import AND, names_of
from harness.task.schema import (
    NamedRecipeModel,
    RecipeModel,
    Task,
    recipe_key,
)
from harness.task.stage_checks import check_stages
from harness.task.tuning import TUNINGS, TuningModel

#: Folders of a runs folder that all tasks share; no task may have their names.
RESERVED = ("cells", "tests", "support", "logs", "jobs", "quarantine", "checkpoints")
MAX_SEEDS = 10_000
#: Keys of the recipe that can be searched: those that change the fit, not how it is computed.
SEARCHED = (
    "lr", "lr_new", "weight_decay", "warmup_epochs", "epochs", "batch", "decay", "dropout",
    "optimiser", "logit_scale", "train_logit_scale", "l2", "iterations", "proximal",
)  # fmt: skip


def check_task(task: Task, where: str) -> None:
    """Raises TaskError for the first inconsistency."""
    for key, (accepted, why) in not_built.KEYS.items():
        if getattr(task, key) != accepted:
            raise TaskError(where, key, why)
    if task.name in RESERVED:
        raise TaskError(where, "name", f"'{task.name}' is a folder that all tasks share")
    _check_allow(task, where)
    _check_seeds(task, where)
    _check_class_draw(task, where)
    _check_train_classes(task, where)
    _check_selection(task, where)
    _check_recipe_names(task, where)
    _check_support(task, where)
    _check_search(task, where)
    _check_recipe_by(task, where)
    _check_budget(task, where)
    _check_embedded(task, where)
    _check_regime(task, where)
    _check_head(task, where)
    check_stages(task, where)


def _check_allow(task: Task, where: str) -> None:
    for name in task.allow:
        if name not in PERILS:
            problem = f"there is no peril '{name}' to accept"
            raise TaskError(
                where, "allow", problem, allowed=list(PERILS), nearest=nearest(name, PERILS)
            )


def _check_regime(task: Task, where: str) -> None:
    needs = {"few_shot": "shots", "fraction": "fraction"}
    for regime, key in needs.items():
        if regime in task.regime and getattr(task, key) is None:
            raise TaskError(where, key, f"is needed by regime '{regime}'")
        if getattr(task, key) is not None and regime not in task.regime:
            raise TaskError(where, key, f"applies only to regime '{regime}'")
    if task.few != "refuse" and "few_shot" not in task.regime:
        raise TaskError(where, "few", "applies only to regime 'few_shot'")
    if task.exclude_shared and task.train_classes is None and task.test_dataset is None:
        raise TaskError(where, "exclude_shared", "needs train_classes or test_dataset")
    _check_test_classes(task, where)


def _check_test_classes(task: Task, where: str) -> None:
    """`test_classes` divides `classes` into those trained on and the others."""
    if task.test_classes is None:
        return
    if task.train_classes is None:
        raise TaskError(where, "test_classes", "needs train_classes: which of the classes are base")
    if "zero_shot" in task.regime:
        problem = (
            "does not apply to regime 'zero_shot': 'full' trains on all samples of train_classes"
        )
        raise TaskError(where, "test_classes", problem)
    if task.test_dataset is not None:
        problem = (
            "divides the classes of the dataset, and test_dataset is tested with its own classes: "
            "a task has one of the two"
        )
        raise TaskError(where, "test_classes", problem)
    if task.exclude_shared:
        problem = "has no meaning with test_classes: new classes are never trained on"
        raise TaskError(where, "exclude_shared", problem)


def _check_head(task: Task, where: str) -> None:
    """Raises TaskError for keys without a meaning for heads on frozen features."""
    names = {t.name if isinstance(t, TuningModel) else t for t in task.tuning}
    if names == {"head"} and task.schedule != ["frozen"]:
        raise TaskError(where, "schedule", "has no meaning for tuning head, which trains W")
    linear = any(choice.name == "vision_only" for choice in task.paradigm)
    if linear and "head" in names and task.save == "last":
        problem = "a linear head on frozen features (vision_only, tuning head) cannot be saved"
        raise TaskError(where, "save", problem)
    if linear:
        return
    heads = (t.head for t in task.tuning if isinstance(t, TuningModel))
    for head in (h for h in heads if h is not None):
        # Not those that are written at their default, as a task as resolved has them.
        for option in sorted(head.model_dump(exclude_defaults=True).keys() - {"start_norm"}):
            problem = "applies only to a linear head (paradigm vision_only)"
            raise TaskError(where, f"tuning.head.{option}", problem)


def _check_class_draw(task: Task, where: str) -> None:
    if task.class_seed is not None and task.classes.pick is None:
        raise TaskError(where, "class_seed", "applies only with classes.pick")
    if task.class_seed is not None and task.classes.seed != 0:
        raise TaskError(
            where,
            "classes.seed",
            "is set together with class_seed, which gives the seeds of the draw: remove one",
        )


def _check_train_classes(task: Task, where: str) -> None:
    """One seed draws the classes that take part and those of them that are trained on."""
    if task.train_classes is not None and task.train_classes.seed != 0:
        raise TaskError(
            where,
            "train_classes.seed",
            "is not used: training classes are drawn with classes.seed, or with class_seed",
        )


def _check_embedded(task: Task, where: str) -> None:
    """The keys that `--embedded` replaces are checked in every run, not only with that flag."""
    known = [name for name in Task.model_fields if name not in ("name", "embedded")]
    for key in task.embedded.replace if task.embedded else ():
        if key not in known:
            raise TaskError(
                where, f"embedded.replace.{key}", "there is no such key", allowed=known,
                nearest=nearest(key, known),
            )  # fmt: skip


def _check_selection(task: Task, where: str) -> None:
    """Hyper-parameters are chosen on validation samples, or on the test set if both selection and
    allow_test_selection request it.

    Some published numbers were chosen on the test set. They can be reproduced, and the report
    marks every such row.
    """
    on_test = task.selection == "test"
    if on_test and not task.allow_test_selection:
        raise TaskError(
            where, "selection", "choosing on the test set inflates the reported accuracy: it is "
            "refused without allow_test_selection: true", allowed=("last", "val"),
        )  # fmt: skip
    if task.allow_test_selection and not on_test:
        raise TaskError(where, "allow_test_selection", "applies only with selection: test")
    if on_test and task.val:
        raise TaskError(
            where, "val", "cannot be used with selection: test, which needs no validation samples"
        )
    needs: dict[str, object] = {"search": task.search}
    if on_test:
        needs["selection: test"] = True
    else:
        needs |= {"val": task.val, "selection: val": task.selection == "val"}
    present = [key for key, value in needs.items() if value]
    missing = [key for key in needs if key not in present]
    # A method or a classifier may use them itself.
    others = any(task.method) or any(map(reads_validation, task.classifier or ()))
    fits_on_validation = present == ["val"] and others
    if present and missing and not fits_on_validation:
        raise TaskError(where, present[0], f"also needs {' and '.join(missing)}")


def _check_support(task: Task, where: str) -> None:
    """Support sets of others' draws, and the validation samples beside them."""
    names = {choice.name for choice in task.support}
    if names == {"own"}:
        if task.val == COOP_VAL:
            raise TaskError(where, "val", "{official: coop} needs support: coop")
        return
    if "few_shot" not in task.regime:
        raise TaskError(where, "support", "applies only to regime 'few_shot'")
    if isinstance(task.val, int):
        raise TaskError(
            where, "val", f"{task.val} are kept out of the training samples, and support: "
            f"{', '.join(sorted(names - {'own'}))} draws from all of them: use the official "
            "validation split",
        )  # fmt: skip
    if task.val == COOP_VAL and (names != {"coop"} or task.regime != ["few_shot"]):
        problem = "{official: coop} needs support: coop and regime: few_shot, and no others"
        raise TaskError(where, "val", problem)


def _check_search(task: Task, where: str) -> None:
    if not isinstance(task.search, dict):
        return
    if {"recipe.epochs", "recipe.iterations"} <= task.search.keys():
        problem = "is a budget in place of epochs, and both are searched: remove one"
        raise TaskError(where, "search.recipe.iterations", problem)
    allowed = [*(f"recipe.{n}" for n in SEARCHED), *method_options(task, where)]
    for key, values in task.search.items():
        if key not in allowed:
            raise TaskError(
                where, f"search.{key}", "cannot be searched", allowed=allowed,
                nearest=nearest(key, allowed),
            )  # fmt: skip
        if not values:
            raise TaskError(where, f"search.{key}", "has no values to try")
        again = [value for n, value in enumerate(values) if value in values[:n]]
        if again:
            raise TaskError(where, f"search.{key}", f"contains {again[0]!r} twice")
        if key.startswith("method."):
            check_method_search(task, key.removeprefix("method."), where)
        else:
            _check_recipe_search(task, key.removeprefix("recipe."), where)
    check_search_budget(task, where)


def _check_recipe_search(task: Task, name: str, where: str) -> None:
    values = task.spaces()[f"recipe.{name}"]
    for recipe_name, recipe in task.recipes().items():
        key = recipe_key(recipe_name)
        by = [row for row, change in recipe.by.items() if name in change.model_fields_set]
        if len(getattr(recipe, name) or ()) > 1 or by:
            what = f"{key}.by.{by[0]}" if by else f"a list under {key}"
            raise TaskError(
                where, f"search.recipe.{name}", f"is searched and also set by {what}: remove one"
            )
    if name == "proximal" and any(isinstance(value, dict) for value in values):
        problem = "takes strengths, as numbers; whether they are relative stands in recipe.proximal"
        raise TaskError(where, "search.recipe.proximal", problem)
    try:
        RecipeModel.model_validate({name: values})
    except ValidationError as error:
        raise first_problem(error, lambda _: ()).of_file(where, "search.recipe") from error


def _check_recipe_names(task: Task, where: str) -> None:
    """A name is on its own, and recipe.NAME.lr on the command line is a key of one recipe."""
    names = [] if isinstance(task.recipe, RecipeModel) else [each.name for each in task.recipe]
    for name in names:
        if names.count(name) > 1:
            raise TaskError(where, "recipe", f"two recipes have the name '{name}'")
        if name in NamedRecipeModel.model_fields:
            problem = f"'{name}' is a key of a recipe and cannot be the name of one"
            raise TaskError(where, "recipe", problem)


def _check_recipe_by(task: Task, where: str) -> None:
    kinds = ("classifier", "paradigm")
    known = [*(n for kind in kinds for n in registry.names(kind)), *TUNINGS]
    for recipe_name, recipe in task.recipes().items():
        entries: dict[frozenset[str], str] = {}
        for entry, changes in recipe.by.items():
            key = f"{recipe_key(recipe_name)}.by.{entry}"
            for name in entry.split(AND):
                if name not in known and "." not in name and ":" not in name:
                    raise TaskError(
                        where, key, f"no classifier, paradigm or tuned part has the name '{name}'",
                        allowed=known, nearest=nearest(name, known),
                    )  # fmt: skip
            if changes.preset is not None or changes.by:
                raise TaskError(where, key, "may hold keys of a recipe, but not preset or by")
            same = entries.setdefault(names_of(entry), entry)
            if same != entry:
                raise TaskError(where, key, f"has the names of '{same}': make one entry of them")


def _check_budget(task: Task, where: str) -> None:
    """A training has one length. (The epochs of a preset give way to iterations: `with_keys`.)"""
    default = RecipeModel().epochs
    released = next((s for s in task.schedule if s.startswith("released")), None)
    for recipe_name, whole in task.recipes().items():
        key = recipe_key(recipe_name)
        entries = [(key, whole), *((f"{key}.by.{n}", entry) for n, entry in whole.by.items())]
        for path, recipe in entries:
            if not any(recipe.iterations):
                continue
            if recipe.epochs != default:
                problem = "is a budget in place of epochs, and both are given: remove one"
                raise TaskError(where, f"{path}.iterations", problem)
            if released:
                problem = f"{released} counts epochs: name epochs in place of {path}.iterations"
                raise TaskError(where, "schedule", problem)


def _check_seeds(task: Task, where: str) -> None:
    if isinstance(task.seeds, int) and task.seeds > MAX_SEEDS:
        raise TaskError(where, "seeds", f"{task.seeds} is more than {MAX_SEEDS}")
    seeds = task.seed_list()
    if not seeds:
        raise TaskError(where, "seeds", f"{task.seeds} gives no seed; at least 1 is needed")
    if min(seeds) < 0:  # published draws take -1 for 1
        raise TaskError(where, "seeds", f"{min(seeds)} is below 0")
    if len(set(seeds)) != len(seeds):
        raise TaskError(where, "seeds", f"{task.seeds} contains a seed twice")
