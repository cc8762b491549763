"""RUNS/<task>/settle.json: the looks of `grid --settle`, and the marks that they leave in Records.

A look is written before its seeds are run, so that an interrupted command goes on with the same
plan, and again when it has been taken. Records hold the rule as well (their field `settle`): pages
read it from there, and need no file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.core.cells import Cell, unlabelled
from harness.core.errors import OutputError
from harness.core.files import write_atomically
from harness.core.hashing import digest
from harness.core.looks import LookRule, rule_from
from harness.core.records import Record
from harness.core.store import Store

FILE = "settle.json"
VERSION = 1


@dataclass(frozen=True)
class ColumnLook:
    """A column at a look: all its rows have the same seeds."""

    label: str
    draw: int | None
    look: int  # of the rule; the first is 0
    cells: tuple[str, ...]  # see `cell_id`

    @property
    def name(self) -> str:
        """The column as reports name it."""
        return self.label if self.draw is None else f"{self.label}, draw {self.draw}"


@dataclass(frozen=True)
class Look:
    """What one round of the rule ran, and what it decided; `taken` is None before it is over.

    `taken` has the keys decided and undecided: lists of pairs with their p.
    """

    columns: tuple[ColumnLook, ...]
    taken: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Settled:
    """The rule of a task and its looks so far."""

    rule: LookRule
    looks: tuple[Look, ...]

    @cached_property
    def reached(self) -> dict[str, int]:
        """The last look of every cell, by `cell_id`."""
        return {c: column.look for look in self.looks for column in look.columns
                for c in column.cells}  # fmt: skip

    def seeds_of(self, cell: Cell) -> tuple[int, ...]:
        """The seeds that a cell is run with; none if the rule is not about it."""
        look = self.reached.get(cell_id(cell))
        return () if look is None else self.rule.seeds_at(look)

    def mark(self, record: Record, cell: Cell) -> Record:
        """The Record with the mark of this rule: the rule, and the first look that has its seed."""
        if record.cell.get("seed") is None or cell_id(cell) not in self.reached:
            return record
        look = self.rule.look_of(record.cell["seed"])
        mark = self.rule.as_json() | {"look": look}
        if look is None or mark in record.settle:
            return record
        return replace(record, settle=(*record.settle, mark))

    def with_look(self, columns: Sequence[ColumnLook]) -> Settled:
        """With another look, which is not taken yet."""
        return Settled(self.rule, (*self.looks, Look(tuple(columns))))

    def taken(self, outcome: Mapping[str, Any]) -> Settled:
        """With the outcome of the last look."""
        return Settled(self.rule, (*self.looks[:-1], replace(self.looks[-1], taken=outcome)))


def cell_id(cell: Cell) -> str:
    """A cell without its seed and labels."""
    return digest(replace(unlabelled(cell), seed=None).plain())


def rules_of(records: Sequence[Record]) -> tuple[LookRule, ...]:
    """The rules under which Records were gathered, each once."""
    return tuple(dict.fromkeys(rule_from(mark) for record in records for mark in record.settle))


def read_settled(folder: Path) -> Settled | None:
    """The looks of the task of this folder; None without any.

    Raises OutputError for a file that is none of this version.
    """
    path = folder / FILE
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != VERSION:
            raise ValueError(f"version {data['version']}")
        return Settled(rule_from(data["rule"]), tuple(_look(each) for each in data["looks"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{path} cannot be read ({error}): put it back from a copy; pages without it still "
            "print the sequential p, as Records hold the rule"
        ) from error


def _look(data: Mapping[str, Any]) -> Look:
    columns = tuple(
        ColumnLook(c["column"], c["draw"], c["look"], tuple(c["cells"])) for c in data["columns"]
    )
    return Look(columns, data.get("taken"))


def write_settled(folder: Path, settled: Settled) -> None:
    """Raises OutputError or DiskFull."""
    rule = settled.rule
    looks = [
        {
            "columns": [
                {"column": c.label, "draw": c.draw, "look": c.look, "level": rule.levels[c.look],
                 "seeds": list(rule.seeds_at(c.look)), "cells": list(c.cells)}
                for c in look.columns
            ],
            "taken": look.taken,
        }
        for look in settled.looks
    ]  # fmt: skip
    data = {"version": VERSION, "rule": rule.as_json(), "looks": looks}
    text = json.dumps(data, indent=1, ensure_ascii=False).encode()
    write_atomically(folder / FILE, lambda f: f.write(text))


def marked(
    settled: Settled | None, store: Store, record: Record | None, cell: Cell
) -> Record | None:
    """The Record with the mark of the rule, on disk too where the folder can be written."""
    if settled is None or record is None or record.status != "done":
        return record
    with_mark = settled.mark(record, cell)
    if with_mark is not record:
        with contextlib.suppress(OutputError):
            store.mark(with_mark)
    return with_mark
