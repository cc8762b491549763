"""A cell, its Record and its curve, as logs are told of them."""

from __future__ import annotations

from harness.core.protocols.log import Log
from harness.core.records import Record

CELL = {"dataset": "emoji", "recipe": {"epochs": 3}, "seed": 0}
MEASURES = {"top1": 0.5, "nll": 1.25}
RECORD = Record(key="k1", cell=CELL, status="done")


def write(log: Log, *epochs: int, loss: float = 1.0) -> None:
    """A point of each of `epochs`, and the end."""
    for epoch in epochs:
        log.epoch(
            {"epoch": epoch, "loss": loss / epoch, "train_top1": 0.5, "seconds": 0.1, "lr": 1e-3}
        )
    log.done(RECORD, MEASURES)
    log.close()
