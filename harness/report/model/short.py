"""Paths in labels, shortened to the last parts that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A path of at least three parts; names like `openai/clip-vit-base-patch32` are not paths.
_PATH = re.compile(r"[^\s·(),=@:]*(?:/[^\s·(),=@:/]+){2,}")


def shortened(labels: Iterable[str]) -> dict[str, str]:
    """Every label with its paths cut to their ends; different labels stay different."""
    labels = list(dict.fromkeys(labels))
    paths = list(dict.fromkeys(p for label in labels for p in _PATH.findall(label)))
    longest = max((path.count("/") + 1 for path in paths), default=1)
    for kept in range(1, longest + 1):
        ends = {path: "/".join(path.split("/")[-kept:]) for path in paths}
        short = {label: _cut(label, ends) for label in labels}
        if len(set(ends.values())) == len(paths) and len(set(short.values())) == len(labels):
            return short
    return {label: label for label in labels}


def _cut(label: str, ends: dict[str, str]) -> str:
    return _PATH.sub(lambda match: ends[match[0]], label)
