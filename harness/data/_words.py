"""Class names of files as a text encoder should read them."""

from __future__ import annotations

import re
from collections.abc import Sequence

CAMEL = re.compile(r"(?:[A-Z][a-z0-9]*)+")
#: Between two words: 'TaiChi', 'TVShow'.
BETWEEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: How many examples a note has.
SHOWN = 3


def words(names: Sequence[str], *, split_camel: bool) -> tuple[str, ...]:
    """Underscores become spaces; in a list of the style CamelCase every name becomes words
    ('ApplyEyeMakeup' -> 'apply eye makeup').
    """
    if split_camel and is_camel_case(names):
        return tuple(BETWEEN.sub(" ", name).lower() for name in names)
    return tuple(" ".join(name.replace("_", " ").split()) for name in names)


def is_camel_case(names: Sequence[str]) -> bool:
    """Whether the whole list is written in CamelCase, as that of UCF-101.

    No name has a space or another separator or is lower case alone; most are in CamelCase, and at
    least one of several words. So 'iPhone' or 'McDonalds' are no reason to split a list of ordinary
    names, and no reason not to split a list of CamelCase.
    """
    camel = [name for name in names if CAMEL.fullmatch(name)]
    return (
        2 * len(camel) > len(names)
        and all(name.isalnum() and not name.islower() for name in names)
        and any(BETWEEN.search(name) for name in camel)
    )


def camel_note(given: Sequence[str], read_as: Sequence[str], reference: str) -> tuple[str, ...]:
    """The note of a report on names that became words; () without any."""
    split = [
        f"{name} -> {text}"
        for name, text in zip(given, read_as, strict=True)
        if name != text and BETWEEN.search(name) and "_" not in name
    ]
    if not split:
        return ()
    more = ", ..." if len(split) > SHOWN else ""
    return (f"CamelCase class names of {reference} that were split into words: {len(split)} "
            f"({', '.join(split[:SHOWN])}{more}); camel_case: false keeps them.",)  # fmt: skip
