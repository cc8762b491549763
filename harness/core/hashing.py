"""Canonical JSON of a value and hashes of it, for keys and cache addresses."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(data: Any, length: int = 16) -> str:
    """The first `length` hex digits of sha256 over the canonical JSON of `data`."""
    return digest_text(canonical(data), length)


def digest_text(text: str, length: int = 16) -> str:
    """The first `length` hex digits of sha256 over a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
