"""Logs of a training, with the real packages: what they hold, and what a training that goes on
or begins anew leaves in them.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from harness.core import registry
from harness.core.errors import BadInput, OutputError
from harness.core.records import Record

CELL = {"dataset": "emoji", "recipe": {"epochs": 3}, "seed": 0}
RECORD = Record(key="k1", cell=CELL, status="done", top1=0.5, nll=1.25)


def write(log: Any, *epochs: int, loss: float = 1.0) -> None:
    for epoch in epochs:
        log.epoch(
            {"epoch": epoch, "loss": loss / epoch, "train_top1": 0.5, "seconds": 0.1, "lr": 1e-3}
        )
    log.done(RECORD)
    log.close()


@pytest.mark.parametrize("name", ["jsonl", "tensorboard", "wandb"])
def test_each_is_a_plugin(name: str) -> None:
    assert name in registry.names("log")
    plugin = registry.plugin("log", name)
    assert plugin.Options() is not None
    assert plugin.ready() is None


@pytest.mark.parametrize(("name", "package"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")])
def test_a_missing_package_is_told(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.logs._log.find_spec", lambda _: None)
    plugin = registry.plugin("log", name)
    for call in (plugin.ready, lambda: plugin.open_log(tmp_path, "k1", CELL)):
        with pytest.raises(BadInput, match=f"--log {name} needs .*: pip install {package}"):
            call()
    assert list(tmp_path.iterdir()) == []


# --- jsonl ----------------------------------------------------------------------------------------


def lines(folder: Path) -> list[tuple[int, float]]:
    points = map(json.loads, (folder / "k1.jsonl").read_text(encoding="utf-8").splitlines())
    return [(p["epoch"], p["loss"]) for p in points]


def jsonl(folder: Path) -> Any:
    return registry.plugin("log", "jsonl").open_log(folder, "k1", CELL)


def test_jsonl_has_a_line_an_epoch_as_soon_as_it_ended(tmp_path: Path) -> None:
    log = jsonl(tmp_path / "logs")
    log.epoch({"epoch": 1, "loss": float("nan"), "lr": 1e-3})
    text = (tmp_path / "logs/k1.jsonl").read_text(encoding="utf-8")
    assert json.loads(text) == {"epoch": 1, "loss": None, "lr": 1e-3}
    write(log, 2, 3)
    assert len(lines(tmp_path / "logs")) == 3


def test_jsonl_of_a_training_that_goes_on_repeats_no_epoch(tmp_path: Path) -> None:
    log = jsonl(tmp_path)
    write(log, 1, 2, 3)
    with (tmp_path / "k1.jsonl").open("a") as file:
        file.write('{"epoch": 4, "lo')  # killed while it wrote
    write(jsonl(tmp_path), 3, 4)  # its checkpoint was that of the second epoch
    assert [epoch for epoch, _ in lines(tmp_path)] == [1, 2, 3, 4]


def test_jsonl_of_a_training_that_begins_anew_forgets_the_earlier_one(tmp_path: Path) -> None:
    write(jsonl(tmp_path), 1, 2, 3)
    write(jsonl(tmp_path), 1, loss=7.0)
    assert lines(tmp_path) == [(1, 7.0)]


def test_jsonl_of_a_search_has_every_training(tmp_path: Path) -> None:
    """And it forgets none when the search goes on, in the middle of a training or before one."""

    def search(*points: tuple[int, int]) -> list[tuple[int, int]]:
        log = jsonl(tmp_path)
        for number, epoch in points:
            log.epoch({"epoch": epoch, "loss": 1.0, "training": number})
        log.close()
        text = (tmp_path / "k1.jsonl").read_text(encoding="utf-8")
        return [(p["training"], p["epoch"]) for p in map(json.loads, text.splitlines())]

    assert search((0, 1), (0, 2), (1, 1)) == [(0, 1), (0, 2), (1, 1)]
    assert search((1, 2)) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert search((2, 1)) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1)]
    assert search((0, 1)) == [(0, 1)]


def test_jsonl_without_a_place(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match=r"k1\.jsonl"):
        write(jsonl(tmp_path / "logs"), 1)


def test_nothing_is_written_where_nothing_is_trained(tmp_path: Path) -> None:
    for name in ("jsonl", "tensorboard"):
        write(registry.plugin("log", name).open_log(tmp_path, "k1", CELL))
    assert list(tmp_path.iterdir()) == []


# --- tensorboard ----------------------------------------------------------------------------------


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of every curve in the event files of a folder."""
    from tensorboardX.proto.event_pb2 import Event

    found = defaultdict(list)
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):  # a length, its checksum, an event, its checksum
            (size,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + size])
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found[value.tag].append((event.step, value.simple_value))
            at += 16 + size
    return found


def tensorboard(folder: Path) -> Any:
    return registry.plugin("log", "tensorboard").open_log(folder, "k1", CELL)


def test_tensorboard_has_the_curves_and_the_end(tmp_path: Path) -> None:
    write(tensorboard(tmp_path), 1, 2)
    found = events(tmp_path / "tensorboard/k1")
    assert found["train/loss"] == [(1, 1.0), (2, 0.5)]
    assert set(found) == {
        "train/loss", "train/train_top1", "train/lr", "train/seconds", "test/top1", "test/nll",
    }  # fmt: skip
    assert found["test/nll"] == [(2, 1.25)]


def test_tensorboard_of_a_training_that_goes_on_or_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard/k1"
    write(tensorboard(tmp_path), 1, 2)
    write(tensorboard(tmp_path), 3)
    assert [step for step, _ in events(folder)["train/loss"]] == [1, 2, 3]
    write(tensorboard(tmp_path), 1)
    assert [step for step, _ in events(folder)["train/loss"]] == [1]


def test_tensorboard_of_a_search_has_a_folder_a_training(tmp_path: Path) -> None:
    log = tensorboard(tmp_path)
    for number, epoch in ((0, 1), (0, 2), (1, 1)):
        log.epoch({"epoch": epoch, "loss": 1.0, "training": number})
    log.close()
    folder = tmp_path / "tensorboard/k1"
    assert [step for step, _ in events(folder)["train/loss"]] == [1, 2]
    assert [step for step, _ in events(folder / "1")["train/loss"]] == [1]


# --- wandb ----------------------------------------------------------------------------------------


def stored(folder: Path) -> dict[str, Any]:
    """What an offline run keeps: its project, group, config, curves by step, and summary."""
    [path] = folder.glob("wandb/offline-run-*/*.wandb")
    found: dict[str, Any] = {"curve": [], "summary": {}, "config": {}}
    for record in whole_run(path):
        if record.HasField("run"):
            found["place"] = (record.run.project, record.run.run_group)
            found["config"] |= {c.key: json.loads(c.value_json) for c in record.run.config.update}
        if record.HasField("history"):
            values = {_key(item): json.loads(item.value_json) for item in record.history.item}
            found["curve"].append((record.history.step.num, values["loss"]))
        found["summary"] |= {_key(i): json.loads(i.value_json) for i in record.summary.update}
    return found


def whole_run(path: Path) -> list[Any]:
    """Every record of a run file. Another process writes its end a moment after the run ended."""
    from wandb.proto.wandb_internal_pb2 import Record as Stored

    until = time.monotonic() + 20
    while time.monotonic() < until:
        data, at, found = path.read_bytes(), 7, []  # after the header
        while at + 7 <= len(data):  # a checksum, a length, a kind (1: whole), a record
            size, kind = struct.unpack_from("<HB", data, at + 4)
            assert kind == 1
            found.append(Stored.FromString(data[at + 7 : at + 7 + size]))
            at += 7 + size
        if found and found[-1].HasField("exit"):
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{path} has no end")


def _key(item: Any) -> str:
    return str(item.nested_key[0] if item.nested_key else item.key)


def test_wandb_works_without_network_or_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    plugin = registry.plugin("log", "wandb")
    log, beside = (plugin.open_log(tmp_path / n, "k1", CELL) for n in ("one", "two"))
    write(log, 1, 2)
    write(beside, 1)
    found = stored(tmp_path / "one")
    assert found["place"] == ("classifier-init-harness", "k1")
    assert found["config"]["recipe"] == {"epochs": 3}
    assert found["curve"] == [(1, 1.0), (2, 0.5)]
    assert found["summary"]["top1"] == 0.5
    assert found["summary"]["status"] == "done"
    assert stored(tmp_path / "two")["curve"] == [(1, 1.0)]


def test_wandb_of_a_search_has_a_run_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    log = registry.plugin("log", "wandb").open_log(tmp_path, "k1", CELL)
    for number, epoch in ((0, 1), (1, 1)):
        log.epoch({"epoch": epoch, "loss": 1.0 + number, "training": number})
    log.close()
    paths = tmp_path.glob("wandb/offline-run-*/*.wandb")
    runs = sorted(
        (r.run.display_name, r.run.run_group)
        for path in paths for r in whole_run(path) if r.HasField("run")
    )  # fmt: skip
    assert runs == [("k1", "k1"), ("k1.1", "k1")]


def test_wandb_online_without_a_login_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "HOME": str(tmp_path), "WANDB_MODE": "online", "WANDB_API_KEY": "", "NETRC": "none",
        "WANDB_BASE_URL": "http://127.0.0.1:9",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=r"--log wandb: .*; WANDB_MODE=offline needs no login"):
        registry.plugin("log", "wandb").open_log(tmp_path, "k1", CELL)


def test_importing_a_log_loads_no_package() -> None:
    assert registry.plugin("log", "wandb")
    code = "import sys, harness.logs.wandb, harness.logs.tensorboard as t; "
    code += "sys.exit('wandb' in sys.modules or 'tensorboardX' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
