"""List the plugins and tasks that can be used."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "list datasets, encoders, classifiers, paradigms, prompts and tasks"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_json_argument

    parser.add_argument("kind", nargs="?", help="only this kind, as in: list classifier")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    listings = {kind: _listing(kind) for kind in _kinds(args.kind)}
    if args.json:
        print(json.dumps(listings, indent=1))
        return 0
    for kind, rows in listings.items():
        print(f"{kind}s" if len(listings) > 1 else kind)
        for name, about in rows.items():
            print(f"  {name:<22} {about}")
    return 0


def _kinds(wanted: str | None) -> list[str]:
    from harness.core import registry
    from harness.core.errors import UnknownName

    known = [*registry.KINDS, "task"]
    if wanted is None:
        return known
    kind = wanted if wanted in known else wanted.removesuffix("s")
    if kind not in known:
        raise UnknownName("kind", wanted, known)
    return [kind]


def _listing(kind: str) -> dict[str, str]:
    from harness.core import registry
    from harness.task import library
    from harness.task.method_presets import preset
    from harness.task.yaml_reader import read

    if kind == "task":
        return {name: str(read(p).get("question", "")) for name, p in library.tasks().items()}
    rows = {name: registry.summary(kind, name) for name in registry.names(kind)}
    presets = {name: preset(name).about.split("\n")[0] for name in registry.presets(kind)}
    return dict(sorted((rows | presets).items()))
