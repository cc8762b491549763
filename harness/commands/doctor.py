"""Check everything that a first run needs, and report what is wrong and how to fix it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

HELP = "check packages, embedded data, weights, cache and folders"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments

    add_folder_arguments(parser)


def run(args: Namespace) -> int:
    from harness.core.files import cache_folder

    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("packages", _packages),
        ("emoji", _emoji),
        ("encoder", _encoder),
        ("cores", _cores),
        ("cache", lambda: _folder(cache_folder())),
        ("runs", lambda: _folder(args.runs)),
        ("reports", lambda: _folder(args.reports)),
    ]
    wrong = 0
    for name, check in checks:
        ok, text = _try(check)
        wrong += not ok
        print(f"{'ok   ' if ok else 'WRONG'} {name:<9} {text}")
    return 2 if wrong else 0


def _try(check: Callable[[], str]) -> tuple[bool, str]:
    from harness.core.errors import HarnessError

    try:
        return True, check()
    except (HarnessError, ImportError, OSError) as error:
        return False, str(error)


def _python() -> str:
    import platform

    return platform.python_version()


def _packages() -> str:
    from harness.core.environment import environment

    versions = environment()["versions"]
    return ", ".join(f"{k} {v}" for k, v in versions.items() if k != "python")


def _emoji() -> str:
    from harness.core.cells import Choice
    from harness.plan.catalogue import Catalogue

    data = Catalogue().dataset(Choice("emoji"))
    return f"{len(data.classes)} classes, {len(data.train.ids) + len(data.test.ids)} drawings"


def _encoder() -> str:
    from harness.core.cells import Choice
    from harness.plan.catalogue import Catalogue

    facts = Catalogue().image_facts(Choice("embedded/lit-emoji"))
    return f"embedded/lit-emoji {facts.weights[:12]}, {facts.feature_dim} -> {facts.dim}"


def _cores() -> str:
    from harness.training.threads import cores

    return f"{cores()} cores; a grid runs one cell per core"


def _folder(folder: object) -> str:
    import shutil
    from pathlib import Path

    from harness.core.store import writable

    path = Path(str(folder))
    writable(path)
    return f"{path} (free: {shutil.disk_usage(path).free / 1e9:.0f} GB)"
