"""Errors of pydantic as one sentence, for tasks, profiles and options of plugins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.core.errors import BadInput, TaskError, did_you_mean, nearest

#: Parts of a location that pydantic adds for the members of a union; they are no keys.
_TAG = re.compile(
    r"(int|str|float|bool|list|dict|none)|(constrained|function|nullable)-.*|.*\[.*|\w*Model|PerShot"
)

#: In a location: the list under `recipe`, and that under `stages`, whose numbers say which of its
#: entries is wrong.
LIST_OF_RECIPES = "list[recipe]"
NUMBERED = (LIST_OF_RECIPES, "stages")

KeysAt = Callable[[Sequence[str]], Iterable[str]]


@dataclass(frozen=True)
class Problem:
    """The first thing that is wrong: its key (dotted) and a sentence."""

    key: str
    sentence: str
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    def of_file(self, where: str, below: str = "") -> TaskError:
        """The error of a file `where`, or of an override; `below` is the key that it is under."""
        key = ".".join(part for part in (below, self.key) if part)
        return TaskError(where, key, self.sentence, allowed=self.allowed, nearest=self.nearest)

    def of_option(self, plugin: str) -> BadInput:
        """The error of an option that a task gives to a plugin."""
        allowed = ", ".join(self.allowed)
        listed = f"; allowed: {allowed}" if allowed else ""
        close = did_you_mean(self.nearest)
        return BadInput(f"{plugin}: option {self.key}: {self.sentence}{listed}{close}")


def first_problem(
    error: ValidationError,
    keys_at: KeysAt,
    forms: Mapping[str, str] | None = None,
    noun: str = "key",
) -> Problem:
    """The first problem that pydantic found, as one sentence.

    `keys_at` gives the keys that are allowed below a location; `forms` describes the format of keys
    whose text must have one; `noun` is the word for a key in the message.
    """
    problem = _first(error)
    location = _names_of(problem["loc"])
    key, value, kind = ".".join(location), problem.get("input"), problem["type"]
    if kind == "extra_forbidden":
        known = tuple(keys_at(location[:-1]))
        return Problem(
            key, f"there is no such {noun}", known or ("none",), nearest(location[-1], known)
        )
    if kind == "missing":
        return Problem(key, "is missing")
    if kind == "literal_error":
        expected = problem["ctx"]["expected"].replace(" or ", ", ").split(", ")
        allowed = tuple(word.strip("'") for word in expected)
        return Problem(key, f"{value!r} is not allowed", allowed, nearest(str(value), allowed))
    if kind in ("model_type", "dict_type"):
        return Problem(key, f"{value!r}: input should be a mapping", tuple(keys_at(location)))
    form = (forms or {}).get(re.sub(r"\[\d+\]", "", key))
    if kind in ("string_pattern_mismatch", "string_type") and form is not None:
        return Problem(key, f"{value!r} is not allowed", (form,))
    message = problem["msg"].removeprefix("Value error, ")
    # A long mapping says less than the sentence about it.
    shown = "" if isinstance(value, dict) and len(str(value)) > 80 else f"{value!r}: "
    return Problem(key, f"{shown}{message[:1].lower()}{message[1:]}")


def _first(error: ValidationError) -> ErrorDetails:
    """A key that is missing may be misspelt: then that is the problem."""
    first, *others = error.errors()
    if first["type"] != "missing":
        return first
    beside = [e for e in others if e["loc"][:-1] == first["loc"][:-1]]
    return next((e for e in beside if e["type"] == "extra_forbidden"), first)


def _names_of(location: Sequence[str | int]) -> list[str]:
    """The keys of a location: recipe[1] and lr of the second recipe's learning rate, stages[0] and
    share.
    """
    names: list[str] = []
    for before, part in zip(("", *location), location, strict=False):
        if before in NUMBERED and isinstance(part, int):
            names[-1] += f"[{part}]"
        elif isinstance(part, str) and not _TAG.fullmatch(part):
            names.append(part)
    return names
