"""Checks of a search over options of methods."""

from __future__ import annotations

from math import prod

from pydantic import ValidationError

from harness.core import registry
from harness.core.cells import Choice
from harness.core.errors import BadInput, TaskError
from harness.core.perils import LARGER_SEARCH
from harness.core.protocols.method import BUDGET, Method
from harness.task.messages import first_problem
from harness.task.schema import Task


def check_search_budget(task: Task, where: str) -> None:
    """A method searches no more settings than others, unless the task says so."""
    if LARGER_SEARCH in task.allow:
        return
    for choice in _plugins(task):
        options = registry.load(Method, choice.name).Options.model_fields
        sizes = [len(v) for k, v in task.spaces().items() if k.removeprefix("method.") in options]
        if prod(sizes) > BUDGET:
            problem = (
                f"method {choice.name} would try {prod(sizes)} settings, and the budget of every "
                f"row is {BUDGET}: a larger search needs allow: [{LARGER_SEARCH}]"
            )
            raise TaskError(where, "search", problem)


def _plugins(task: Task) -> list[Choice]:
    """The methods that are no presets of axes."""
    presets = registry.presets("method")
    return [m for m in task.method if m is not None and m.name not in presets]


def method_options(task: Task, where: str) -> list[str]:
    """Options of the task's methods, as `search` names them."""
    options_of_all: dict[str, None] = {}
    for choice in _plugins(task):
        try:
            options = registry.load(Method, choice.name).Options
        except BadInput as error:
            raise TaskError(where, "method", str(error)) from error
        options_of_all |= {f"method.{name}": None for name in options.model_fields}
    return list(options_of_all)


def check_method_search(task: Task, option: str, where: str) -> None:
    """A searched option has no fixed value, and every value to try is one that methods accept."""
    for choice in _plugins(task):
        if option in dict(choice.options):
            problem = f"is searched and also set by method {choice}: remove one"
            raise TaskError(where, f"search.method.{option}", problem)
        options = registry.load(Method, choice.name).Options
        for value in task.spaces()[f"method.{option}"]:
            if option not in options.model_fields:
                continue  # an option of another method of the task
            try:
                options(**(dict(choice.options) | {option: value}))
            except ValidationError as error:
                raise first_problem(error, lambda _: ()).of_file(where, "search.method") from error
