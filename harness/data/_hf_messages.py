"""Errors of the data set `hf`: one sentence each, with what is allowed and the nearest name."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

from harness.core.errors import DataError, did_you_mean, nearest

#: How many of many names a message lists.
LISTED = 20


def among(name: str, known: Any, what: str) -> str:
    """`name` itself.

    Raises DataError, with what is allowed and the nearest, if `name` is none of `known`.
    """
    if name not in known:
        close = did_you_mean(nearest(name, known))
        raise DataError(f"{what} '{name}': there is none; allowed: {listed(list(known))}{close}")
    return name


def listed(names: Sequence[str], most: int = LISTED) -> str:
    """The first of `names`, with an ellipsis where there are more."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def guarded(shown: str, load: Callable[[], Any]) -> Any:
    """What `load` gives. What the datasets library raises becomes a DataError of one sentence."""
    try:
        return load()
    except Exception as error:  # on damaged files readers raise errors of any kind
        _drop_locals(error)
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0][:300]
        raise DataError(f"{shown} cannot be read by the datasets library: {first}") from error


def _drop_locals(error: BaseException | None) -> None:
    """Empty the frames that an error passed through, which hold tables and open files."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
