"""What the two arguments of `compare` are, and the pairs that they make."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.core.records import Record
    from harness.core.store import Store
    from harness.report.model.compare import Pair, Runs
    from harness.report.model.table import Table

_KEYS = re.compile(r"[0-9a-f]{16}(,[0-9a-f]{16})*")


@dataclass(frozen=True)
class Sides:
    """The pairs, what they are, and what could not be paired."""

    kind: str  # rows | cells | folders | csv
    pairs: list[Pair]
    left: list[str]  # a sentence for each kind of what has no partner


def sides_of(args: Namespace) -> Sides:
    """Raises BadInput if A and B are not two of a kind, or nothing can be paired."""
    from harness.core.errors import BadInput

    a, b = args.a, args.b
    if args.task is not None:
        return _rows(args)
    kinds = [_kind(a), _kind(b)]
    if kinds[0] != kinds[1]:
        raise BadInput(f"'{a}' is {kinds[0]} and '{b}' is {kinds[1]}: two of a kind are compared")
    if args.overrides:
        raise BadInput(f"'{args.overrides[0]}' changes a task: name it with --task")
    if kinds[0] == "cells":
        return _cells(args)
    if kinds[0] == "a runs folder":
        return _folders(Path(a), Path(b))
    if kinds[0] == "a csv file":
        return _csv_files(Path(a), Path(b))
    raise BadInput(
        f"'{a}' and '{b}' are no keys of cells, runs folders or csv files; rows of a task are "
        "compared with --task TASK"
    )


def _kind(text: str) -> str:
    path = Path(text)
    if path.is_dir():
        return "a runs folder"
    if path.suffix == ".csv" and path.is_file():
        return "a csv file"
    return "cells" if _KEYS.fullmatch(text) else "no key, folder or csv file"


def _rows(args: Namespace) -> Sides:
    from harness.commands._studies import plan_of, study_of
    from harness.core.errors import BadInput
    from harness.report.model.compare import Pair
    from harness.report.model.recorded import runs_of_entry

    study = study_of(args, args.task, as_run=True)
    plan_of(study)
    table = study.table()
    row_a, row_b = (_row(table, name) for name in (args.a, args.b))
    if row_a == row_b:
        raise BadInput(f"'{args.a}' and '{args.b}' are the same row, {row_a}")
    pairs, left = [], []
    for column in table.columns:
        a, b = (runs_of_entry(table.entries[row, column]) for row in (row_a, row_b))
        if a is not None and b is not None:
            pairs.append(Pair(str(column), row_a, row_b, a, b))
        else:
            states = ", ".join(f"{row} is {table.entries[row, column].status}"
                               for row in (row_a, row_b)
                               if table.entries[row, column].outcomes is None)  # fmt: skip
            left.append(f"{column}: {states}")
    pairs += _means(table, row_a, row_b)
    return Sides("rows", pairs, left)


def _means(table: Table, a: str, b: str) -> Iterator[Pair]:
    """The means over data sets, where the task has them and both rows have one on the same sets."""
    from harness.report.model.average import contrast_of_means
    from harness.report.model.compare import Means, Pair, Runs

    found = table.average
    for column, units in {} if found is None else found.units.items():
        assert found is not None
        estimates = [found.entries[row, column].estimate for row in (a, b)]
        tally = found.tallies.get((column, a, b)) or found.tallies.get((column, b, a))
        if tally is None or estimates[0] is None or estimates[1] is None:
            continue
        of_a, of_b = (Runs({None: e.mean}, items=e.items) for e in estimates if e is not None)
        over = f"{len(units.of)} {units.noun}"
        means = Means(contrast_of_means(found, column, a, b), tally, over)
        yield Pair(units.title(column), a, b, of_a, of_b, means)


def _row(table: Table, name: str) -> str:
    """A row by its label, or by a value that only it has."""
    from harness.core.errors import BadInput, UnknownName
    from harness.report.model.labels import JOINT

    if name in table.rows:
        return name
    found = [row for row in table.rows if name in row.split(JOINT)]
    if len(found) > 1:
        raise BadInput(f"'{name}' matches several rows: {', '.join(found)}")
    if not found:
        raise UnknownName("row", name, table.rows)
    return found[0]


def _cells(args: Namespace) -> Sides:
    from harness.core.errors import BadInput
    from harness.core.store import Store
    from harness.report.model.compare import Pair

    store, runs = Store(args.runs), []
    for text in (args.a, args.b):
        records = []
        for key in dict.fromkeys(text.split(",")):
            record = store.read(key)
            if record is None:
                raise BadInput(f"there is no Record of cell {key} in {args.runs}")
            records.append(record)
        runs.append(_runs(store, records, text))
    return Sides("cells", [Pair("all", args.a, args.b, runs[0], runs[1])], [])


def _runs(store: Store, records: list[Record], what: str) -> Runs:
    from harness.core.errors import BadInput
    from harness.report.model.recorded import runs_of_records

    try:
        return runs_of_records(records, store.arrays, store.read_test)
    except BadInput as error:
        raise BadInput(f"{what}: {error}") from error


def _folders(a: Path, b: Path) -> Sides:
    """Cells that are the same but for their seeds, in two folders."""
    from harness.core.store import Store

    stores = Store(a), Store(b)
    of_a, of_b = (_by_cell(store) for store in stores)
    common = [cell for cell in of_a if cell in of_b]
    runs_a, runs_b = (
        {cell: _runs(store, of[cell], str(store.root)) for cell in common}
        for store, of in zip(stores, (of_a, of_b), strict=True)
    )
    return Sides("folders", _matched(runs_a, runs_b, a, b), _left(of_a, of_b, a, b))


def _by_cell(store: Store) -> dict[str, list[Record]]:
    """The done Records of a folder, by their cell without its seed.

    Raises BadInput if it has none.
    """
    from harness.core.errors import BadInput
    from harness.report.model.recorded import without_seed

    found: dict[str, list[Record]] = {}
    for key in _keys(store):
        record = store.read(key)
        if record is not None and record.status == "done" and record.test is not None:
            found.setdefault(without_seed(record), []).append(record)
    if not found:
        raise BadInput(f"{store.root} has no Record of a done cell")
    return found


def _keys(store: Store) -> Iterator[str]:
    yield from (path.stem for path in sorted((store.root / "cells").glob("??/*.json")))


def _csv_files(a: Path, b: Path) -> Sides:
    from harness.core.text_files import read_text
    from harness.report.model.recorded import runs_of_csv

    of_a, of_b = (runs_of_csv(read_text(path), str(path)) for path in (a, b))
    return Sides("csv", _matched(of_a, of_b, a, b), _left(of_a, of_b, a, b))


def _matched(of_a: Mapping[str, Runs], of_b: Mapping[str, Runs], a: Path, b: Path) -> list[Pair]:
    from harness.report.model.compare import Pair
    from harness.report.model.recorded import differing

    labels = differing(key for key in of_a if key in of_b)
    return [Pair(label, str(a), str(b), of_a[key], of_b[key]) for key, label in labels.items()]


def _left(of_a: Mapping[str, object], of_b: Mapping[str, object], a: Path, b: Path) -> list[str]:
    out = []
    for here, there, name in ((of_a, of_b, a), (of_b, of_a, b)):
        if only := [key for key in here if key not in there]:
            noun = "configuration" if len(only) == 1 else "configurations"
            out.append(f"{len(only)} {noun} of {name} without a partner")
    return out
