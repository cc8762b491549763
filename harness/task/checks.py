"""What no single key of a task can say: keys that need each other, or exclude each other."""

from __future__ import annotations

from pydantic import ValidationError

from harness.core import registry
from harness.core.errors import BadInput, TaskError, nearest
from harness.core.protocols.method import Method
from harness.task.messages import first_problem
from harness.task.schema import RecipeModel, Task

#: Folders of a runs folder that belong to no task.
RESERVED = ("cells", "tests", "support", "logs", "jobs", "quarantine", "checkpoints")
MAX_SEEDS = 10_000
#: What a search may try: what changes how well a recipe fits, not what it computes with.
SEARCHED = (
    "lr", "lr_new", "weight_decay", "warmup_epochs", "epochs", "batch", "decay", "dropout",
    "optimiser", "logit_scale", "train_logit_scale",
)  # fmt: skip

#: Keys of the contract whose other values are refused for now: (built, sentence).
NOT_BUILT = {
    "split": (None, "official splits are not built yet"),
}


def check_task(task: Task, where: str) -> None:
    """Raises TaskError for the first thing that makes no sense."""
    for key, (built, why) in NOT_BUILT.items():
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
    _check_regime(task, where)


def _check_regime(task: Task, where: str) -> None:
    needs = {"few_shot": "shots", "fraction": "fraction"}
    for regime, key in needs.items():
        if regime in task.regime and getattr(task, key) is None:
            raise TaskError(where, key, f"is needed by regime '{regime}'")
        if getattr(task, key) is not None and regime not in task.regime:
            raise TaskError(where, key, f"has a meaning only in regime '{regime}'")
    for key in ("test_dataset", "train_classes"):
        if getattr(task, key) is not None and "zero_shot" not in task.regime:
            raise TaskError(where, key, "has a meaning only in regime 'zero_shot'")


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
    """The keys that `--embedded` replaces, before anybody asks for that variant."""
    known = [name for name in Task.model_fields if name not in ("name", "embedded")]
    for key in task.embedded.replace if task.embedded else ():
        if key not in known:
            raise TaskError(
                where, f"embedded.replace.{key}", "there is no such key", allowed=known,
                nearest=nearest(key, known),
            )  # fmt: skip


def _check_selection(task: Task, where: str) -> None:
    """Hyper-parameters are chosen on validation samples, or on the test set if the task says so
    twice.

    Some published numbers were chosen on the test set. They can be reproduced, and the report
    marks every such row.
    """
    on_test = task.selection == "test"
    if on_test and not task.allow_test_selection:
        raise TaskError(
            where, "selection", "choosing on the test set inflates what is reported: it is refused "
            "without allow_test_selection: true", allowed=("last", "val"),
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
    fits_on_validation = given == ["val"] and any(task.method)  # a method may use them itself
    if given and missing and not fits_on_validation:
        raise TaskError(where, given[0], f"also needs {' and '.join(missing)}")


def _check_search(task: Task, where: str) -> None:
    if task.search is None:
        return
    allowed = [*(f"recipe.{n}" for n in SEARCHED), *_method_options(task, where)]
    for key, values in task.search.items():
        if key not in allowed:
            raise TaskError(
                where, f"search.{key}", "cannot be searched", allowed=allowed,
                nearest=nearest(key, allowed),
            )  # fmt: skip
        if not values:
            raise TaskError(where, f"search.{key}", "names no value to try")
        if key.startswith("method."):
            _check_method_search(task, key.removeprefix("method."), where)
        else:
            _check_recipe_search(task, key.removeprefix("recipe."), where)


def _method_options(task: Task, where: str) -> list[str]:
    """Options of the task's methods, as `search` names them."""
    found: dict[str, None] = {}
    for choice in (choice for choice in task.method if choice is not None):
        try:
            options = registry.load(Method, choice.name).Options
        except BadInput as error:
            raise TaskError(where, "method", str(error)) from error
        found |= {f"method.{name}": None for name in options.model_fields}
    return list(found)


def _check_method_search(task: Task, option: str, where: str) -> None:
    """An option with a fixed value has nothing to search."""
    for choice in task.method:
        if choice is not None and option in dict(choice.options):
            problem = f"is searched and set by method {choice}: leave one"
            raise TaskError(where, f"search.method.{option}", problem)


def _check_recipe_search(task: Task, name: str, where: str) -> None:
    values = (task.search or {})[f"recipe.{name}"]
    by = [row for row, change in task.recipe.by.items() if name in change.model_fields_set]
    if len(getattr(task.recipe, name)) > 1 or by:
        what = f"recipe.by.{by[0]}" if by else "a list under recipe"
        raise TaskError(where, f"search.recipe.{name}", f"is searched and set by {what}: leave one")
    try:
        RecipeModel.model_validate({name: values})
    except ValidationError as error:
        raise first_problem(error, lambda _: ()).of_file(where, "search.recipe") from error


def _check_recipe_by(task: Task, where: str) -> None:
    known = [n for kind in ("classifier", "paradigm") for n in registry.names(kind)]
    for name, changes in task.recipe.by.items():
        if name not in known and "." not in name and ":" not in name:
            raise TaskError(
                where, f"recipe.by.{name}", "no row can have this name", allowed=known,
                nearest=nearest(name, known),
            )  # fmt: skip
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
