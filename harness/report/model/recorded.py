"""Records and csv files as sides of a comparison: what was run, without its seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.core.errors import BadInput
from harness.core.hashing import canonical
from harness.core.outcomes import Outcomes
from harness.core.records import Record
from harness.core.samples import TestSet
from harness.core.settled import rules_of
from harness.report.model.compare import Runs
from harness.report.model.entry import Entry

#: Columns of the csv of cells that are no axes.
NO_AXES = (
    "seed", "status", "top1", "top5", "mean_class", "nll", "ece", "n", "seconds", "gpu_seconds",
    "chosen", "key",
)  # fmt: skip

Arrays = Callable[[Record], Mapping[str, np.ndarray[Any, Any]]]


def without_seed(record: Record) -> str:
    """The cell of a Record but for its seed, as JSON."""
    return canonical({name: value for name, value in record.cell.items() if name != "seed"})


def runs_of_records(
    records: Iterable[Record], arrays: Arrays, tests: Callable[[str], TestSet]
) -> Runs:
    """The done Records of one cell, a seed each.

    Raises BadInput for Records of other cells or test sets, or none that is done.
    """
    done = [r for r in records if r.status == "done" and r.top1 is not None]
    if not done:
        raise BadInput("none of these cells is done")
    if len({without_seed(r) for r in done}) > 1:
        raise BadInput("cells of one side must differ in their seed alone")
    names = {r.test for r in done}
    if len(names) > 1 or None in names:
        raise BadInput("cells of one side must have the same test set")
    name = done[0].test
    assert name is not None
    outcomes = Outcomes(
        correct_SN=np.stack([arrays(r)["rank"] == 0 for r in done]),
        seeds=tuple(r.cell.get("seed") for r in done),
        groups_N=tests(name).groups,
    )
    return _runs(outcomes, name, done)


def runs_of_entry(entry: Entry) -> Runs | None:
    """Those of an entry of a table; None while it is not done."""
    if entry.outcomes is None:
        return None
    return _runs(entry.outcomes, entry.test, entry.records)


def _runs(outcomes: Outcomes, test: str | None, records: Sequence[Record]) -> Runs:
    top1 = outcomes.correct_SN.mean(axis=1).tolist()
    by_seed = dict(zip(outcomes.seeds, top1, strict=True))
    return Runs(by_seed, outcomes, test, len(outcomes.groups_N), rules_of(records))


def runs_of_csv(text: str, file: str) -> dict[str, Runs]:
    """The configurations of a csv of cells (`REPORTS/<task>.csv`), by their axes as JSON.

    Axes without a value are left out, so that files of tasks with other axes can be paired.

    Raises BadInput for a file without the columns top1 and seed, or a value that is no number.
    """
    reader = csv.DictReader(io.StringIO(text))
    columns = reader.fieldnames or []
    for needed in ("top1", "seed"):
        if needed not in columns:
            raise BadInput(f"{file}: is no csv of cells: it has no column '{needed}'")
    axes = [c for c in columns if c not in NO_AXES and ":" not in c]
    found: dict[str, dict[int | None, float]] = {}
    items: dict[str, int | None] = {}
    for number, line in enumerate(reader, start=2):
        if not line["top1"]:
            continue
        key = canonical({axis: line[axis] for axis in axes if line[axis]})
        try:
            seed = int(line["seed"]) if line["seed"] else None
            value = float(line["top1"])
            items[key] = int(line["n"]) if line.get("n") else None
        except ValueError as error:
            raise BadInput(f"{file}, line {number}: {error}") from error
        if not 0 <= value <= 1:
            raise BadInput(f"{file}, line {number}: top1 {value} is no share between 0 and 1")
        if seed in found.setdefault(key, {}):
            raise BadInput(f"{file}, line {number}: seed {line['seed']} is there twice")
        found[key][seed] = value
    return {key: Runs(values, items=items[key]) for key, values in found.items()}


def differing(keys: Iterable[str]) -> dict[str, str]:
    """JSON keys of configurations -> labels of only what differs between them."""
    import json

    plain = {key: json.loads(key) for key in keys}
    names = sorted({name for of in plain.values() for name in of})
    varying = [
        n for n in names if len({canonical(of.get(n)) for of in plain.values()}) > 1
    ]  # fmt: skip
    return {
        key: " · ".join(f"{n}={_shown(of[n])}" for n in varying if n in of) or "all"
        for key, of in plain.items()
    }


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)
