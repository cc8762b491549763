"""What a run found is kept in the cache, and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.cells import Choice
from harness.core.text_findings import (
    EqualRows,
    TextFindings,
    remember,
    remembered,
    text_address,
)

FOUND = TextFindings(EqualRows(((0, 2),), 1, ((1, 3), (1, 4)), 2), (5,), 1)


def test_it_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    assert remembered("a") is None
    remember("a", FOUND)
    assert remembered("a") == FOUND
    (file,) = tmp_path.rglob("*.found.json")
    file.write_text("{")
    assert remembered("a") is None


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file"))
    remember("a", FOUND)
    assert remembered("a") is None


def test_the_address_follows_weights_prompt_and_texts() -> None:
    plain = Choice("class_name")
    addresses = {
        text_address("w", plain, [["cat"]]), text_address("v", plain, [["cat"]]),
        text_address("w", Choice("template"), [["cat"]]), text_address("w", plain, [["dog"]]),
    }  # fmt: skip
    assert len(addresses) == 4
