"""`datasets.load_dataset`, with no file left open and every error as one sentence."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.data._hf_messages import guarded


def load_dataset(shown: str, argument: str, **options: Any) -> Any:
    """What the library makes of `argument`. `shown` names the data set in messages.

    Raises DataError for whatever the library raises.
    """
    import datasets

    with abandoned_files_closed():
        return guarded(shown, lambda: datasets.load_dataset(argument, **options))


@contextmanager
def abandoned_files_closed() -> Iterator[None]:
    """Close the files that the library opened and dropped within the block.

    It looks at the first rows of a metadata.csv, or raises an error half-way through a table, and
    drops the reader of pandas without closing it. The reader is part of a reference cycle (its
    `close` is replaced by a function that refers to it), so only the garbage collector closes the
    file: much later, and with a ResourceWarning wherever the program is by then.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            yield
        finally:
            gc.collect()
