"""One of each text that many Records have, as those of a large study else take a gigabyte."""

from __future__ import annotations

from sys import intern
from typing import Any

#: Objects of texts alone that many Records have, as the versions of packages.
_SHARED: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
_MOST_SHARED, _LEAST_TEXTS = 1000, 5


def sharing_texts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object from its pairs, as json.loads gives them to `object_pairs_hook`.

    What it returns may be shared: it is read and never changed.
    """
    found = {intern(k): intern(v) if type(v) is str else v for k, v in pairs}
    if len(found) < _LEAST_TEXTS or any(type(v) is not str for v in found.values()):
        return found
    key = tuple(found.items())
    if len(_SHARED) < _MOST_SHARED:
        return _SHARED.setdefault(key, found)
    return _SHARED.get(key, found)
