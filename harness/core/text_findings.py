"""What a run found about class texts, kept in the cache so that the next plan can say it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.cells import Choice
from harness.core.errors import OutputError
from harness.core.files import cache_folder, write_atomically
from harness.core.hashing import digest

#: Pairs of classes by their index: the first few, the earlier class first.
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class EqualRows:
    """Rows that cannot be told from an earlier one: (earlier, row) of the first few, and how many.

    `equal` are the same vector but for rounding, `close` have a cosine above 0.999.
    """

    equal: Pairs = ()
    n_equal: int = 0
    close: Pairs = ()
    n_close: int = 0


@dataclass(frozen=True)
class TextFindings:
    """Embeddings that are equal or close, and classes with a text that is cut at its end."""

    rows: EqualRows = EqualRows()
    cut: tuple[int, ...] = ()
    n_cut: int = 0


def text_address(weights: str, prompt: Choice, texts: Sequence[Sequence[str]]) -> str:
    """Where the cache keeps what a text encoder of these weights makes of the texts of classes."""
    return digest([weights, prompt.plain(), [list(of_class) for of_class in texts]], 32)


def remembered(address: str) -> TextFindings | None:
    """What an earlier run found; None if none looked."""
    file = _file(address)
    try:
        data = json.loads(file.read_bytes())
        rows = data.pop("rows")
        found = {name: _pairs(rows[name]) for name in ("equal", "close")}
        return TextFindings(EqualRows(**(rows | found)), tuple(data["cut"]), data["n_cut"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # missing, or damaged: it is found again


def remember(address: str, found: TextFindings) -> None:
    """Keep what was found; not in a cache that cannot be written."""
    content = json.dumps(asdict(found)).encode()
    with contextlib.suppress(OutputError):
        write_atomically(_file(address), lambda f: f.write(content))


def _file(address: str) -> Path:
    return cache_folder() / "text" / f"{address}.found.json"


def _pairs(data: Any) -> Pairs:
    return tuple((int(a), int(b)) for a, b in data)
