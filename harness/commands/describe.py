"""Explain one plugin or task: what it does and which options it takes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

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
    family, _ = registry.split_reference(args.name)
    options = registry.load_kind(args.kind, family).Options.model_fields
    print(registry.documentation(args.kind, family))
    print("\noptions:" if options else "\nno options")
    for name, field in options.items():
        print(f"  {name} = {field.default!r}  ({_type(field.annotation)})")
    return 0


def _type(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
