"""wandb, offline and read back with the real package."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import BadInput
from harness.logs import wandb

from .points import CELL, write


def stored(folder: Path) -> dict[str, Any]:
    """What an offline run keeps: its project, group, config, curves by step, and summary."""
    [path] = folder.glob("wandb/offline-run-*/*.wandb")
    run: dict[str, Any] = {"curve": [], "summary": {}, "config": {}}
    for record in whole_run(path):
        if record.HasField("run"):
            run["group"] = (record.run.project, record.run.run_group)
            run["config"] |= {c.key: json.loads(c.value_json) for c in record.run.config.update}
        if record.HasField("history"):
            values = {_key(item): json.loads(item.value_json) for item in record.history.item}
            run["curve"].append((record.history.step.num, values["loss"]))
        run["summary"] |= {_key(i): json.loads(i.value_json) for i in record.summary.update}
    return run


def whole_run(path: Path) -> list[Any]:
    """Every record of a run file. Another process writes its end a moment after the run ended."""
    from wandb.proto.wandb_internal_pb2 import Record as Stored

    until = time.monotonic() + 20
    while time.monotonic() < until:
        data, at, stored_records = path.read_bytes(), 7, []  # after the header
        while at + 7 <= len(data):  # a checksum, a length, a kind (1: whole), a record
            size, kind = struct.unpack_from("<HB", data, at + 4)
            assert kind == 1
            stored_records.append(Stored.FromString(data[at + 7 : at + 7 + size]))
            at += 7 + size
        if stored_records and stored_records[-1].HasField("exit"):
            return stored_records
        time.sleep(0.02)
    raise TimeoutError(f"{path} has no end")


def _key(item: Any) -> str:
    return str(item.nested_key[0] if item.nested_key else item.key)


def test_it_works_without_network_or_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    log, beside = (wandb.open_log(tmp_path / n, "k1", CELL) for n in ("one", "two"))
    write(log, 1, 2)
    write(beside, 1)
    run = stored(tmp_path / "one")
    assert run["group"] == ("classifier-init-harness", "k1")
    assert run["config"]["recipe"] == {"epochs": 3}
    assert run["curve"] == [(1, 1.0), (2, 0.5)]
    assert run["summary"]["top1"] == 0.5
    assert run["summary"]["status"] == "done"
    assert stored(tmp_path / "two")["curve"] == [(1, 1.0)]


def test_a_search_has_a_run_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    log = wandb.open_log(tmp_path, "k1", CELL)
    for number, epoch in ((0, 1), (1, 1)):
        log.epoch({"epoch": epoch, "loss": 1.0 + number, "training": number})
    log.close()
    paths = tmp_path.glob("wandb/offline-run-*/*.wandb")
    runs = sorted(
        (r.run.display_name, r.run.run_group)
        for path in paths for r in whole_run(path) if r.HasField("run")
    )  # fmt: skip
    assert runs == [("k1", "k1"), ("k1.1", "k1")]


def test_online_without_a_login_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOME": str(tmp_path), "WANDB_MODE": "online", "WANDB_API_KEY": "", "NETRC": "none",
        "WANDB_BASE_URL": "http://127.0.0.1:9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=r"--log wandb: .*; WANDB_MODE=offline needs no login"):
        wandb.open_log(tmp_path, "k1", CELL)
