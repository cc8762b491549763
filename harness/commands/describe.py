"""Explain one plugin or task: what it does and which options it takes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

HELP = "explain one dataset, encoder, classifier, paradigm, prompt or task"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("kind")
    parser.add_argument("name")


def run(args: Namespace) -> int:
    from harness.core import registry
    from harness.core.errors import UnknownName
    from harness.task import library

    if args.kind == "task":
        print(library.task_file(args.name).read_text(encoding="utf-8"), end="")
        return 0
    if args.kind not in registry.KINDS:
        raise UnknownName("kind", args.kind, [*registry.KINDS, "task"])
    if args.name in registry.presets(args.kind):
        print(registry.presets(args.kind)[args.name].read_text(encoding="utf-8"), end="")
        return 0
    family, _ = registry.split_reference(args.name)
    options = registry.load_kind(args.kind, family).Options.model_fields
    print(registry.documentation(args.kind, family))
    print("\noptions:" if options else "\nno options")
    for name, field in options.items():
        if field.is_required():
            print(f"  {name}  ({_type(field.annotation)}, required)")
        else:
            print(f"  {name} = {field.default!r}  ({_type(field.annotation)})")
    return 0


def _type(annotation: Any) -> str:
    """A type as a task writes its values: float | 'validation'."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return " | ".join(repr(value) for value in parts)
    if origin in (Union, UnionType):
        return " | ".join("None" if part is NoneType else _type(part) for part in parts)
    return annotation.__name__ if isinstance(annotation, type) and not parts else str(annotation)
