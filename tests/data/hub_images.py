"""The data set `hf` on folders that the tests write, and what it says of those that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import DataError
from harness.data import hf

#: (writes a folder, options, what the error says)
Wrong = tuple[Callable[[Path], None], dict[str, Any], tuple[str, ...]]


def read(root: Path | str, **options: Any) -> hf.HubImages:
    return hf.open_dataset(str(root), hf.Options(**options))


def first_picture(root: Path, **options: Any) -> object:
    data = read(root, **options)
    return data.image(data.train.ids[0])


def assert_refused(root: Path, wrong: Wrong) -> None:
    """Opening it, or reading a picture, is an error of one short sentence that says all this."""
    write, options, says = wrong
    write(root)
    with pytest.raises(DataError) as told:
        first_picture(root, **options)
    message = str(told.value)
    assert "\n" not in message
    assert len(message) < 1500
    for word in says:
        assert word in message


def names(cases: list[Wrong]) -> list[str]:
    """For the ids of tests."""
    return [f"{write.__name__}-{n}" for n, (write, _, _) in enumerate(cases)]
