"""Items that cannot be read, found by reading them."""

from __future__ import annotations

import pytest
from PIL import Image

from harness.core.errors import DataError
from harness.data import _scan


def read(item: str) -> Image.Image:
    if item.startswith("bad"):
        raise DataError(f"{item} is damaged")
    return Image.new("RGB", (2, 2), item)


def test_every_item_has_its_hash_or_its_reason() -> None:
    hashes = _scan.scan(read, ["red", "bad1", "blue", "#ff0000"])
    assert hashes["bad1"] == _scan.Unreadable("bad1 is damaged")
    assert hashes["red"] == hashes["#ff0000"] != hashes["blue"]


def test_those_that_cannot_be_read_are_listed_with_their_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_scan, "AT_ONCE", 2)
    reasons, all_were_read = _scan.unreadable(read, ["red", "bad1", "blue", "bad2", "green"])
    assert reasons == {"bad1": "bad1 is damaged", "bad2": "bad2 is damaged"}
    assert all_were_read


def test_without_time_nothing_is_read() -> None:
    assert _scan.unreadable(read, ["red", "bad1"], seconds=-1) == ({}, False)


def test_a_message_names_a_few() -> None:
    assert _scan.first_few("abc") == "a, b, c"
    assert _scan.first_few("abcdefg") == "a, b, c, d, e, ..."
