"""Class names of files as a text encoder should read them."""

from __future__ import annotations

import re
from collections.abc import Sequence

CAMEL = re.compile(r"(?:[A-Z][a-z0-9]*)+")


def words(names: Sequence[str], *, split_camel: bool) -> tuple[str, ...]:
    """Underscores become spaces; CamelCase becomes words ('ApplyEyeMakeup' -> 'apply eye makeup')
    where every name is written so and at least one is of several words.
    """
    camel = (
        split_camel
        and all(CAMEL.fullmatch(name) for name in names)
        and any(re.search(r"[a-z0-9][A-Z]", name) for name in names)
    )
    if camel:
        return tuple(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower() for name in names)
    return tuple(" ".join(name.replace("_", " ").split()) for name in names)
