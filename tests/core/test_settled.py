"""settle.json, and the marks that a rule leaves in Records."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TINY

from harness.core.errors import OutputError
from harness.core.looks import LookRule
from harness.core.records import Record
from harness.core.settled import (
    ColumnLook,
    Settled,
    cell_id,
    marked,
    read_settled,
    rules_of,
    write_settled,
)
from harness.core.store import Store
from harness.task.grid import expand
from harness.task.read import validate

RULE = LookRule("a rule", (0, 1, 2, 3), (2, 4), (0.01, 0.04))
CELLS = expand(validate({**TINY, "seeds": 5}, "tiny"))
CELL = CELLS[0]
SETTLED = Settled(RULE, ()).with_look([ColumnLook("all", None, 0, (cell_id(CELL),))])


def record(seed: int, **changes: Any) -> Record:
    cell = replace(CELL, seed=seed)
    return Record(f"{seed:016x}", cell.plain(), "done", top1=0.5, **changes)


def test_a_cell_is_known_by_all_but_its_seed_and_labels() -> None:
    assert len({cell_id(cell) for cell in CELLS}) == 2, "two classifiers"
    assert cell_id(replace(CELL, recipe_name="x")) == cell_id(CELL)


def test_looks_give_cells_their_seeds() -> None:
    assert SETTLED.seeds_of(CELL) == (0, 1)
    assert SETTLED.seeds_of(CELLS[-1]) == ()
    later = SETTLED.with_look([replace(SETTLED.looks[0].columns[0], look=1)])
    assert later.seeds_of(CELL) == (0, 1, 2, 3)


def test_the_file_survives_a_round_trip(tmp_path: Path) -> None:
    outcome = {"decided": [{"a": "x", "b": "y", "p_adjusted": 0.01}], "undecided": []}
    settled = SETTLED.taken(outcome).with_look([ColumnLook("1 shot", 3, 1, ("ab",))])
    write_settled(tmp_path / "t", settled)
    assert read_settled(tmp_path / "t") == settled
    data = json.loads((tmp_path / "t/settle.json").read_bytes())
    first = data["looks"][0]["columns"][0]
    assert (first["level"], first["seeds"]) == (0.01, [0, 1])
    assert settled.looks[1].columns[0].name == "1 shot, draw 3"


def test_no_file_is_no_rule_and_a_broken_one_is_said(tmp_path: Path) -> None:
    assert read_settled(tmp_path) is None
    for text in ("{", "{}", '{"version": 2}', '{"version": 1, "rule": {}}'):
        (tmp_path / "settle.json").write_text(text)
        with pytest.raises(OutputError, match="cannot be read"):
            read_settled(tmp_path)


def test_a_record_holds_the_rule_and_its_look(tmp_path: Path) -> None:
    store = Store(tmp_path)
    arrays = {"rank": np.zeros(3, dtype=np.uint32)}
    for seed in (0, 3, 4):
        store.write(record(seed), arrays)
    before = {seed: store.read(record(seed).key) for seed in (0, 3, 4)}
    for seed, look in ((0, 0), (3, 1), (4, None)):
        found = marked(SETTLED, store, before[seed], replace(CELL, seed=seed))
        assert found is not None
        assert [m["look"] for m in found.settle] == ([] if look is None else [look])
        assert rules_of([found]) == (() if look is None else (RULE,))
        kept = store.read(found.key)
        assert kept is not None
        assert replace(kept, settle=tuple(kept.settle)) == found, "on disk"
        assert kept.science_hash == before[seed].science_hash  # type: ignore[union-attr]
        assert marked(SETTLED, store, kept, replace(CELL, seed=seed)) is kept, "once"


def test_other_cells_failed_cells_and_no_rule_have_no_mark(tmp_path: Path) -> None:
    store, failed = Store(tmp_path), replace(record(0), status="failed")
    assert marked(None, store, record(0), CELL) == record(0)
    assert marked(SETTLED, store, failed, CELL) is failed
    assert marked(SETTLED, store, None, CELL) is None
    assert marked(SETTLED, store, record(0), CELLS[-1]) == record(0)
    still = replace(record(0), cell=replace(CELL, seed=None).plain())
    assert marked(SETTLED, store, still, CELL) is still


def test_a_cell_that_runs_again_keeps_its_mark(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(record(0))
    marked(SETTLED, store, store.read(record(0).key), CELL)
    store.replacing.add(record(0).key)
    store.write(record(0))
    again = store.read(record(0).key)
    assert again is not None
    assert rules_of([again]) == (RULE,)
