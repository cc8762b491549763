"""tensorboard, read back with the real package: curves by epoch and the measures at the end."""

from __future__ import annotations

import struct
from collections import defaultdict
from pathlib import Path

from harness.core.protocols.log import Log
from harness.logs import tensorboard

from .points import CELL, write


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of every curve in the event files of a folder."""
    from tensorboardX.proto.event_pb2 import Event

    curves = defaultdict(list)
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):  # a length, its checksum, an event, its checksum
            (size,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + size])
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    curves[value.tag].append((event.step, value.simple_value))
            at += 16 + size
    return curves


def opened(folder: Path) -> Log:
    return tensorboard.open_log(folder, "k1", CELL)


def test_it_has_the_curves_and_the_end(tmp_path: Path) -> None:
    write(opened(tmp_path), 1, 2)
    curves = events(tmp_path / "tensorboard/k1")
    assert curves["train/loss"] == [(1, 1.0), (2, 0.5)]
    assert set(curves) == {
        "train/loss", "train/train_top1", "train/lr", "train/seconds", "test/top1", "test/nll",
    }  # fmt: skip
    assert curves["test/nll"] == [(2, 1.25)]


def test_a_training_that_goes_on_or_begins_anew(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard/k1"
    write(opened(tmp_path), 1, 2)
    write(opened(tmp_path), 3)
    assert [step for step, _ in events(folder)["train/loss"]] == [1, 2, 3]
    write(opened(tmp_path), 1)
    assert [step for step, _ in events(folder)["train/loss"]] == [1]


def test_a_search_has_a_folder_a_training(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number, epoch in ((0, 1), (0, 2), (1, 1)):
        log.epoch({"epoch": epoch, "loss": 1.0, "training": number})
    log.close()
    folder = tmp_path / "tensorboard/k1"
    assert [step for step, _ in events(folder)["train/loss"]] == [1, 2]
    assert [step for step, _ in events(folder / "1")["train/loss"]] == [1]
