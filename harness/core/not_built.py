"""What the task format knows and this version does not do: refused with one sentence each."""

from __future__ import annotations

#: Kind -> names of plugins that no file answers to yet.
PLUGINS: dict[str, tuple[str, ...]] = {}

#: Key of a task -> the value that is built, and why another one is refused.
KEYS: dict[str, tuple[object, str]] = {"split": (None, "official splits are not built yet")}
