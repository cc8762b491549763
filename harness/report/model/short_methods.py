"""Methods in labels without their options, but for those that tell rows apart.

A method has the options that were chosen for it: `tip_adapter(alpha=3.0, beta=4.5)` is the row
`tip_adapter`, and the method section has the options.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.cells import Cell, Choice

_MISSING = object()


def short_methods(labels: Mapping[Cell, str]) -> dict[Cell, str]:
    """The labels of rows; different labels stay different. Of the options of methods whose labels
    would be equal, as few as possible are kept, and best those that not all of these methods have.
    """
    alike: dict[str, dict[str, tuple[str, Choice]]] = {}
    for cell, label in labels.items():
        method = cell.method or cell.preset
        if method is not None and method.options and str(method) in label:
            plain = label.replace(str(method), method.name)
            alike.setdefault(plain, {})[label] = (str(method), method)
    # A method without options may have the label already.
    taken = dict.fromkeys(labels.values())
    short: dict[str, str] = {}
    for plain, of_labels in alike.items():
        others = [Choice(m.name) for _, m in list(of_labels.values())[:1] if plain in taken]
        methods = [*dict.fromkeys(m for _, m in of_labels.values()), *others]
        keys = _telling(methods)
        for label, (text, method) in of_labels.items():
            kept = tuple((k, v) for k, v in method.options if k in keys)
            short[label] = label.replace(text, str(Choice(method.name, kept)))
    if len({short.get(label, label) for label in taken}) < len(taken):
        return dict(labels)
    return {cell: short.get(label, label) for cell, label in labels.items()}


def _telling(methods: Sequence[Choice]) -> tuple[str, ...]:
    """Names of options whose values differ between any two of the methods."""
    if len(methods) < 2:
        return ()
    options = [dict(method.options) for method in methods]
    names = list(dict.fromkeys(name for of_one in options for name in of_one))
    names.sort(key=lambda name: sum(name in of_one for of_one in options))
    kept: list[str] = []
    for name in names:
        if _count(options, kept) == len(methods):
            break
        if _count(options, [*kept, name]) > _count(options, kept):
            kept.append(name)
    return tuple(kept)


def _count(options: Iterable[Mapping[str, Any]], names: Sequence[str]) -> int:
    """How many of the methods these options tell apart."""
    return len({tuple(repr(o.get(name, _MISSING)) for name in names) for o in options})
