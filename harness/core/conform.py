"""Checks an object against a Protocol, and adds the Protocol's defaults for optional members.

This is the only module that looks up members by name. Elsewhere a plugin is used through its
Protocol, which mypy checks.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, TypeVar, cast

from harness.core.errors import BadInput

P = TypeVar("P")
#: Marks an attribute that a Protocol declares without a value.
_NO_DEFAULT = object()


def conform(protocol: type[P], plugin: object, where: str) -> P:
    """`plugin` as the Protocol: itself if it has every member, else an object that forwards its
    members and adds the Protocol's defaults.

    `where` names the plugin in errors. Raises BadInput for a member that is missing, that cannot be
    called as the Protocol declares it, or that is of another type.
    """
    complete = True
    for name, wanted in members(cast(type, protocol)):
        if not _has(plugin, name):
            if _is_required(wanted):
                raise BadInput(f"{where}: {name}: is missing; expected: {describe(name, wanted)}")
            complete = False
        elif problem := _problem(plugin, name, wanted):
            raise BadInput(f"{where}: {name}: {problem}; expected: {describe(name, wanted)}")
    for (name, value), needed in getattr(protocol, "REQUIRED_FOR", {}).items():
        declared = getattr(plugin, name, getattr(protocol, name, ()))
        if (value == declared or value in declared) and not _has(plugin, needed):
            expected = describe(needed, inspect.getattr_static(protocol, needed))
            raise BadInput(
                f"{where}: {needed}: is missing, as {name} is '{value}'; expected: {expected}"
            )
    return cast(P, plugin) if complete else cast(P, _completed(cast(type, protocol))(plugin))


@cache
def members(protocol: type) -> tuple[tuple[str, Any], ...]:
    """Name and declaration of every public member, of the Protocol and of those that it extends."""
    declared: dict[str, Any] = {}
    for owner in reversed(protocol.__mro__):
        if owner.__module__.startswith("harness."):
            annotated = dict.fromkeys(inspect.get_annotations(owner), _NO_DEFAULT)
            members_of_owner = {n: v for n, v in vars(owner).items() if n[0] != "_"}
            declared |= {n: v for n, v in annotated.items() if n[0] != "_"} | members_of_owner
    declared.pop("REQUIRED_FOR", None)
    return tuple(declared.items())


def describe(name: str, wanted: Any) -> str:
    """A member as text: `build(inputs, options)`."""
    if not inspect.isfunction(wanted):
        return name
    return f"{name}({', '.join([*_parameters(wanted), *_keywords(wanted)])})"


def _has(plugin: object, name: str) -> bool:
    """Whether a member exists, without running a property, which may read files."""
    try:
        inspect.getattr_static(plugin, name)
    except AttributeError:
        return hasattr(plugin, name) if hasattr(type(plugin), "__getattr__") else False
    return True


def _is_required(wanted: Any) -> bool:
    return wanted is _NO_DEFAULT or bool(getattr(wanted, "__isabstractmethod__", False))


def _problem(plugin: object, name: str, wanted: Any) -> str | None:
    """The problem of a member that exists, or None."""
    if isinstance(wanted, type):  # Options: a class that extends the Protocol's
        options = getattr(plugin, name)
        base = next(b for b in wanted.__mro__ if b.__name__ != "NoOptions")
        fits = isinstance(options, type) and issubclass(options, base)
        return None if fits else f"is not a class that extends {base.__module__}.{base.__name__}"
    member = getattr(plugin, name) if _holds_names(wanted) or inspect.isfunction(wanted) else None
    if _holds_names(wanted):
        return None if _are_names(member) else f"is {member!r}, not a tuple of names"
    return _call_problem(member, wanted) if inspect.isfunction(wanted) else None


def _call_problem(member: Any, wanted: Any) -> str | None:
    """Why a member cannot be called as its Protocol calls it, or None."""
    if not callable(member):
        return f"is {member!r}, which cannot be called"
    try:
        keywords = dict.fromkeys(_keywords(wanted))
        inspect.signature(member).bind(*_parameters(wanted), **keywords)
    except TypeError as error:
        return f"cannot be called so ({error})"
    except ValueError:  # a function without a signature, written in C
        return None
    return None


def _holds_names(wanted: Any) -> bool:
    """Whether a Protocol declares a sequence of names, as USES and READS are."""
    if isinstance(wanted, property) and wanted.fget is not None:
        return inspect.get_annotations(wanted.fget).get("return") == "Sequence[str]"
    return isinstance(wanted, tuple)


def _are_names(value: object) -> bool:
    """A text alone is no sequence of names: it would be read letter by letter."""
    return isinstance(value, tuple | list | set | frozenset) and all(
        isinstance(name, str) for name in value
    )


def _parameters(function: Any) -> list[str]:
    """Names of positional parameters, without self and without those with a default."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [p.name for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]


def _keywords(function: Any) -> list[str]:
    """Names of keyword-only parameters."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


class _Completed:
    """Forwards the members of an object. Subclasses add the defaults of a Protocol."""

    def __init__(self, plugin: object) -> None:
        self.plugin = plugin


@cache
def _completed(protocol: type) -> type[_Completed]:
    body = {name: _forwarded(name, wanted) for name, wanted in members(protocol)}
    return type(f"Completed{protocol.__name__}", (_Completed,), body)


def _forwarded(name: str, default: Any) -> property:
    """The object's own member, looked up at every use, or the Protocol's default."""

    def get(self: _Completed) -> Any:
        if _has(self.plugin, name):
            return getattr(self.plugin, name)
        if isinstance(default, property):
            return default.__get__(self)
        return default.__get__(self) if inspect.isfunction(default) else default

    return property(get)
