"""Published few-shot lists: which samples others trained on, from JSON and JSONL.

JSON as in linzhiqiu/cross_modal_adaptation, indices/<dataset>/shot_K-seed_S.json: under train and
val a mapping whose `data` is a list of {impath, label, classname}. JSONL as in
FarinaMatteo/rethinking_fewshot_vlms: one object {_impath, _label, _domain, _classname} a line, and
one file a split (shot_K-seed_S_train.jsonl).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.core.text_files import lines_of, read_text

SPLITS = ("train", "val")
_NAME = re.compile(r"shots?_(\d+)-seed_(\d+)(?:[_-](train|val))?$")


@dataclass(frozen=True)
class Entry:
    """A sample of a list. `where` is how messages name it."""

    path: str
    name: str
    where: str


@dataclass(frozen=True)
class NamedList:
    """A list of a folder, with what its file name says; `split` is None where it holds both."""

    path: Path
    shots: int
    seed: int
    split: str | None


def named_list(path: Path) -> NamedList | None:
    """What `shot_K-seed_S.json` or `shot_K-seed_S_train.jsonl` says; None for another name."""
    found = _NAME.search(path.stem)
    if found is None or path.suffix not in (".json", ".jsonl"):
        return None
    if path.suffix == ".jsonl" and found[3] is None:
        return None  # it has one split, and the name does not say which
    return NamedList(path, int(found[1]), int(found[2]), found[3])


def read_list(path: Path) -> Mapping[str, Sequence[Entry]]:
    """Split -> samples. A JSONL file has one split: val if its name says so, else train.

    Raises DataError for a file that is missing or malformed, with the entries that are wrong.
    """
    text = read_text(path, "it is a published few-shot list (JSON or JSONL)")
    problems = Problems(str(path))
    if path.suffix == ".jsonl":
        split = "val" if re.search(r"[_-]val$", path.stem) else "train"
        rows = [(f"line {n}", _parsed(line, path, f", line {n}"))
                for n, line in enumerate(lines_of(text), start=1) if line]  # fmt: skip
        lists = {split: _entries(path, rows, ("_impath", "_classname"), problems)}
    else:
        lists = _of_json(path, _parsed(text, path, ""), problems)
    problems.refuse()
    if not any(lists.values()):
        raise DataError(f"{path} lists no sample")
    return lists


def _parsed(text: str, path: Path, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{path}{where} is no JSON: {error}") from error


def _of_json(path: Path, data: Any, problems: Problems) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for split in SPLITS:
        part = data.get(split) if isinstance(data, dict) else None
        rows = part.get("data") if isinstance(part, dict) else part
        if rows is None and split == "val":
            continue
        if not isinstance(rows, list):
            raise DataError(f"{path}: there is no list of samples under {split}: data")
        named = [(f"{split}, entry {n}", row) for n, row in enumerate(rows)]
        found[split] = _entries(path, named, ("impath", "classname"), problems)
    return found


def _entries(
    path: Path, rows: Iterable[tuple[str, Any]], keys: tuple[str, str], problems: Problems
) -> list[Entry]:
    found = []
    for where, row in rows:
        values = row if isinstance(row, dict) else {}
        item, name = (values.get(key) for key in keys)
        if isinstance(item, str) and isinstance(name, str) and item and name:
            found.append(Entry(item, name, f"{path}: {where}"))
        else:
            shown = json.dumps(row, ensure_ascii=False)[:100]
            problems.add("entry", f"{path}: {where} has no {' and '.join(keys)}: {shown}")
    return found


class ItemsByPath:
    """Items of a data set by the paths of lists, which may begin in another folder.

    `./data/oxford_pets/images/x.jpg` and `x.jpg` both mean the item images/x.jpg.
    """

    def __init__(self, items: Iterable[str]) -> None:
        self._named: dict[str, list[str]] = {}
        for item in items:
            self._named.setdefault(item.rpartition("/")[2], []).append(item)

    def of(self, path: str) -> str | None:
        """The item that the path means; None if it is none, or might be several."""
        path = path.replace("\\", "/").removeprefix("./")
        named = self._named.get(path.rpartition("/")[2], [])
        if path in named:
            return path
        found = [i for i in named if f"/{path}".endswith(f"/{i}") or f"/{i}".endswith(f"/{path}")]
        longest = max(map(len, found), default=0)
        best = [item for item in found if len(item) == longest]
        return best[0] if len(best) == 1 and (len(found) == 1 or longest < len(path)) else None
