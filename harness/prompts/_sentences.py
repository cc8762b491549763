"""Files of sentences on classes: JSON, {class: [sentences]}."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.errors import DataError
from harness.core.text_files import read_text


@cache
def read_sentences(file: str) -> Mapping[str, tuple[str, ...]]:
    """The sentences of every class of a file, stripped; classes without sentences are left out.

    It is read once, so that training reads the sentences that are in the key, whatever becomes of
    the file meanwhile.

    Raises ValueError for a file that is missing, unreadable or laid out in another way.
    """
    try:
        data = json.loads(read_text(Path(file)), object_pairs_hook=_once_each)
    except DataError as error:
        raise ValueError(str(error)) from error
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno} is no JSON ({error.msg.lower()})"
        raise ValueError(f"{file}: {problem}") from error
    except (_Twice, RecursionError) as error:
        raise ValueError(f"{file}: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{file} is no JSON object, {{class: [sentences]}}")
    sentences = {name: _sentences(file, name, value) for name, value in data.items()}
    return {name: of_class for name, of_class in sentences.items() if of_class}


def _sentences(file: str, name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{file}: class '{name}' has no list of sentences, but {_shown(value)}")
    stripped = tuple(each.strip() for each in value)
    if not all(stripped):
        raise ValueError(f"{file}: class '{name}' has a sentence without a word")
    return stripped


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}..."


class _Twice(Exception):
    """A class that a file has twice: JSON would keep the last silently."""


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(f"class '{name}' is there twice")
        found[name] = value
    return found
