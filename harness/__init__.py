"""Benchmark harness for classifier-initialisation transfer studies in vision-language models.

    import harness
    study = harness.open_study("few_shot", seeds=2)
    study.run().table().dataframe()

See docs/python.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.core.errors import BadInput, HarnessError
    from harness.core.protocols.launcher import Events, LaunchOptions
    from harness.study import Study, open_study

__version__ = "0.1.0"

__all__ = ["BadInput", "Events", "HarnessError", "LaunchOptions", "Study", "open_study"]

#: Name -> module. Loaded at first use: `python -m harness --help` needs none of it.
_HOMES = {
    "BadInput": "harness.core.errors",
    "HarnessError": "harness.core.errors",
    "Events": "harness.core.protocols.launcher",
    "LaunchOptions": "harness.core.protocols.launcher",
    "Study": "harness.study",
    "open_study": "harness.study",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
