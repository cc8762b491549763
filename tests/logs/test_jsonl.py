"""jsonl: a line an epoch, and what a training that goes on or begins anew leaves of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import OutputError
from harness.core.protocols.log import Log
from harness.logs import jsonl

from .points import CELL, write


def lines(folder: Path) -> list[tuple[int, float]]:
    points = map(json.loads, (folder / "k1.jsonl").read_text(encoding="utf-8").splitlines())
    return [(p["epoch"], p["loss"]) for p in points]


def opened(folder: Path) -> Log:
    return jsonl.open_log(folder, "k1", CELL)


def test_there_is_a_line_an_epoch_as_soon_as_it_ended(tmp_path: Path) -> None:
    log = opened(tmp_path / "logs")
    log.epoch({"epoch": 1, "loss": float("nan"), "lr": 1e-3})
    text = (tmp_path / "logs/k1.jsonl").read_text(encoding="utf-8")
    assert json.loads(text) == {"epoch": 1, "loss": None, "lr": 1e-3}
    write(log, 2, 3)
    assert len(lines(tmp_path / "logs")) == 3


def test_a_training_that_goes_on_repeats_no_epoch(tmp_path: Path) -> None:
    log = opened(tmp_path)
    write(log, 1, 2, 3)
    with (tmp_path / "k1.jsonl").open("a") as file:
        file.write('{"epoch": 4, "lo')  # killed while it wrote
    write(opened(tmp_path), 3, 4)  # its checkpoint was that of the second epoch
    assert [epoch for epoch, _ in lines(tmp_path)] == [1, 2, 3, 4]


def test_a_training_that_begins_anew_forgets_the_earlier_one(tmp_path: Path) -> None:
    write(opened(tmp_path), 1, 2, 3)
    write(opened(tmp_path), 1, loss=7.0)
    assert lines(tmp_path) == [(1, 7.0)]


def test_a_search_has_every_training(tmp_path: Path) -> None:
    """And it forgets none when the search goes on, in the middle of a training or before one."""

    def search(*points: tuple[int, int]) -> list[tuple[int, int]]:
        log = opened(tmp_path)
        for number, epoch in points:
            log.epoch({"epoch": epoch, "loss": 1.0, "training": number})
        log.close()
        text = (tmp_path / "k1.jsonl").read_text(encoding="utf-8")
        return [(p["training"], p["epoch"]) for p in map(json.loads, text.splitlines())]

    assert search((0, 1), (0, 2), (1, 1)) == [(0, 1), (0, 2), (1, 1)]
    assert search((1, 2)) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert search((2, 1)) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1)]
    assert search((0, 1)) == [(0, 1)]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match=r"k1\.jsonl"):
        write(opened(tmp_path / "logs"), 1)
