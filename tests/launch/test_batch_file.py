"""Batch files: what a submission writes is what a job reads, older files included."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.core.store import Store
from harness.launch._batch_file import (
    JobSettings,
    new_submission,
    parse,
    path_of,
    read_batches,
    stamp,
    write_batches,
)
from harness.plan.batches import Batch

from .examples import invented, request

#: As the version before `measures` wrote it.
OLD: dict[str, Any] = {
    "id": "few-1124-162115-a1b2c3-0",
    "submission": "few-1124-162115-a1b2c3",
    "index": 0,
    "submitted": 1795537275.5,
    "pid": 4711,
    "task_name": "few",
    "save": False,
    "launcher": "slurm",
    "threads": 4,
    "requeue": True,
    "logs": ["jsonl"],
    "profile": {"partition": "gpu", "time": 240},
    "task": "name: few\n",
    "replacing": [],
    "old": {"1100f32868469bf0": 17},
    "keys": ["1100f32868469bf0"],
    "cells": [{"dataset": "emoji", "regime": "zero_shot", "encoder": "embedded/lit-emoji"}],
}


def put_record(store: Store, key: str, stamp: int) -> None:
    path = store.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, ns=(stamp, stamp))


def test_a_job_reads_what_the_submission_wrote(tmp_path: Path) -> None:
    store = Store(tmp_path)
    cells = invented(3)
    put_record(store, cells[1].key, 17)
    store.replacing.update([cells[1].key, "another"])
    asked = request(
        store, cells, None,
        save=True, logs=["jsonl"], measures=["own.measure"], task_yaml="name: tiny # resolved\n",
    )  # fmt: skip
    parts = [Batch(tuple(cells[:2]), 2.0), Batch(tuple(cells[2:]), 1.0)]
    settings = JobSettings("slurm", threads=4, requeue=False, profile={"cpus": 4})
    files = write_batches(parts, asked, "tiny-a", settings)
    assert files == [path_of(store, "tiny-a", 0), path_of(store, "tiny-a", 1)]
    first, second = read_batches(store)
    assert (first.id, second.id) == ("tiny-a-0", "tiny-a-1")
    assert first.keys == tuple(c.key for c in cells[:2])
    assert first.cells == tuple(c.cell.plain() for c in cells[:2])
    assert (first.replacing, second.replacing) == ((cells[1].key,), ())
    assert first.old == {cells[1].key: 17}
    for batch in (first, second):
        assert (batch.launcher, batch.threads, batch.requeue, batch.save) == (
            "slurm", 4, False, True,
        )  # fmt: skip
        assert (batch.task_name, batch.submission) == ("tiny", "tiny-a")
        assert (batch.logs, batch.measures) == (("jsonl",), ("own.measure",))
    written = json.loads(files[0].read_text())
    assert (written["task"], written["profile"]) == ("name: tiny # resolved\n", {"cpus": 4})
    assert OLD.keys() | {"measures", "workers"} == written.keys()


def test_files_of_earlier_versions_are_read(tmp_path: Path) -> None:
    batch = parse(OLD)
    assert batch.measures == ()
    assert (batch.keys, batch.logs, batch.threads) == (("1100f32868469bf0",), ("jsonl",), 4)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / f"{OLD['id']}.json").write_text(json.dumps(OLD))
    assert read_batches(Store(tmp_path)) == [batch]


def test_files_that_cannot_be_read_are_left_out_and_the_order_is_that_of_submission(
    tmp_path: Path,
) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    later = OLD | {"id": "a", "submitted": OLD["submitted"] + 1}
    second = OLD | {"id": "b", "index": 1}
    for name, text in {
        "a": json.dumps(later), "b": json.dumps(second), "c": json.dumps(OLD),
        "cut": json.dumps(OLD)[:50], "list": "[]", "newer": json.dumps({"version": 9}),
    }.items():  # fmt: skip
        (jobs / f"{name}.json").write_text(text)
    (jobs / "submitting").write_text("{}")
    assert [b.id for b in read_batches(Store(tmp_path))] == [OLD["id"], "b", "a"]
    assert read_batches(Store(tmp_path / "nowhere")) == []


def test_a_cell_is_over_when_its_record_is_newer_than_the_submission(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = "1100f32868469bf0"
    replaced, new = parse(OLD), parse(OLD | {"old": {}})
    assert stamp(store, key) is None
    assert not replaced.is_over(key, store)
    assert not new.is_over(key, store)
    put_record(store, key, 17)
    assert not replaced.is_over(key, store), "this is the Record to be replaced"
    assert not replaced.is_over(key, store, done={key})
    assert new.is_over(key, store)
    put_record(store, key, 18)
    assert replaced.is_over(key, store)
    store.path(key).unlink()
    assert new.is_over(key, store, done={key}), "a Record that is known is not looked for again"


def test_no_two_submissions_have_the_same_name() -> None:
    names = {new_submission("tiny") for _ in range(50)}
    assert len(names) == 50
    assert all(name.startswith("tiny-") for name in names)
