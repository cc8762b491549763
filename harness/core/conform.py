"""Whether an object offers what a Protocol asks for, and the defaults for what it may leave out.

This is the one place that looks for members by name. Everywhere else a plugin is seen through its
Protocol, which mypy checks.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, TypeVar, cast

from harness.core.errors import BadInput

P = TypeVar("P")
#: Stands for an attribute that a Protocol declares without a value.
_NO_DEFAULT = object()


def conform(protocol: type[P], found: object, where: str) -> P:
    """`found` as the Protocol: itself where it has every member, else an object that hands on what
    it has and adds the Protocol's defaults.

    `where` names it in errors. Raises BadInput for a member that is missing, that cannot be called
    as the Protocol calls it, or that is of another kind.
    """
    complete = True
    for name, wanted in members(cast(type, protocol)):
        if not _has(found, name):
            if _is_required(wanted):
                raise BadInput(f"{where}: {name}: is missing; expected: {describe(name, wanted)}")
            complete = False
        elif problem := _problem(found, name, wanted):
            raise BadInput(f"{where}: {name}: {problem}; expected: {describe(name, wanted)}")
    for (name, value), needed in getattr(protocol, "REQUIRED_FOR", {}).items():
        declared = getattr(found, name, getattr(protocol, name, ()))
        if (value == declared or value in declared) and not _has(found, needed):
            told = describe(needed, inspect.getattr_static(protocol, needed))
            raise BadInput(
                f"{where}: {needed}: is missing, as {name} is '{value}'; expected: {told}"
            )
    return cast(P, found) if complete else cast(P, _completed(cast(type, protocol))(found))


@cache
def members(protocol: type) -> tuple[tuple[str, Any], ...]:
    """Name and declaration of every public member, of the Protocol and of those that it extends."""
    declared: dict[str, Any] = {}
    for owner in reversed(protocol.__mro__):
        if owner.__module__.startswith("harness."):
            noted = dict.fromkeys(inspect.get_annotations(owner), _NO_DEFAULT)
            members_of_owner = {n: v for n, v in vars(owner).items() if n[0] != "_"}
            declared |= {n: v for n, v in noted.items() if n[0] != "_"} | members_of_owner
    declared.pop("REQUIRED_FOR", None)
    return tuple(declared.items())


def describe(name: str, wanted: Any) -> str:
    """A member as a reader would write it: `build(inputs, options)`."""
    if not inspect.isfunction(wanted):
        return name
    return f"{name}({', '.join([*_parameters(wanted), *_keywords(wanted)])})"


def _has(found: object, name: str) -> bool:
    """Without running a property, which may read files."""
    try:
        inspect.getattr_static(found, name)
    except AttributeError:
        return hasattr(found, name) if hasattr(type(found), "__getattr__") else False
    return True


def _is_required(wanted: Any) -> bool:
    return wanted is _NO_DEFAULT or bool(getattr(wanted, "__isabstractmethod__", False))


def _problem(found: object, name: str, wanted: Any) -> str | None:
    """What is wrong with a member that is there."""
    if isinstance(wanted, type):  # Options: a class that extends the Protocol's
        own = getattr(found, name)
        base = next(b for b in wanted.__mro__ if b.__name__ != "NoOptions")
        fits = isinstance(own, type) and issubclass(own, base)
        return None if fits else f"is not a class that extends {base.__module__}.{base.__name__}"
    if not inspect.isfunction(wanted):
        return None
    own = getattr(found, name)
    if not callable(own):
        return f"is {own!r}, which cannot be called"
    try:
        keywords = dict.fromkeys(_keywords(wanted))
        inspect.signature(own).bind(*_parameters(wanted), **keywords)
    except TypeError as error:
        return f"cannot be called so ({error})"
    except ValueError:  # a function without a signature, written in C
        return None
    return None


def _parameters(function: Any) -> list[str]:
    """Names of what a method takes by position, without self and without what has a default."""
    own = list(inspect.signature(function).parameters.values())[1:]
    return [p.name for p in own if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]


def _keywords(function: Any) -> list[str]:
    """Names of what a method takes by keyword only."""
    own = inspect.signature(function).parameters.values()
    return [p.name for p in own if p.kind is p.KEYWORD_ONLY]


class _Completed:
    """Hands on what an object has. Classes below it add the defaults of a Protocol."""

    def __init__(self, found: object) -> None:
        self.found = found


@cache
def _completed(protocol: type) -> type[_Completed]:
    body = {name: _handed_on(name, wanted) for name, wanted in members(protocol)}
    return type(f"Completed{protocol.__name__}", (_Completed,), body)


def _handed_on(name: str, default: Any) -> property:
    """The object's own member, looked up at every use, or the Protocol's default."""

    def get(self: _Completed) -> Any:
        if _has(self.found, name):
            return getattr(self.found, name)
        if isinstance(default, property):
            return default.__get__(self)
        return default.__get__(self) if inspect.isfunction(default) else default

    return property(get)
