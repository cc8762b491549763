"""Curves for TensorBoard in RUNS/logs/tensorboard/KEY; needs the package tensorboardX.

The first training of a search is in the folder itself, the others in KEY/1, KEY/2, ...

`tensorboard --logdir RUNS/logs/tensorboard` shows them; that is a package of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core.files import explain_oserror
from harness.core.records import Record
from harness.logs._log import CURVES, need, training


def ready() -> None:
    """Raises BadInput without the package."""
    need("tensorboard", "tensorboardX")


def open_log(folder: Path, key: str, cell: Mapping[str, Any]) -> TensorBoard:
    """The folder is written with the first epoch: where nothing is trained there is none.

    Raises BadInput without the package.
    """
    ready()
    return TensorBoard(folder / "tensorboard" / key, cell)


class TensorBoard:
    """train/loss, train/train_top1, ... by epoch, and test/top1, ... at the last one."""

    def __init__(self, folder: Path, cell: Mapping[str, Any]) -> None:
        self._folder, self._cell = folder, cell
        self._writer: Any = None
        self._training, self._epoch = 0, 0

    def epoch(self, point: Mapping[str, Any]) -> None:
        """Raises DiskFull or OutputError."""
        self._epoch = int(point["epoch"])
        try:
            if self._writer is None or training(point) != self._training:
                self._begin(training(point))
            for name in CURVES:
                if point.get(name) is not None:
                    self._writer.add_scalar(f"train/{name}", point[name], self._epoch)
            self._writer.flush()
        except OSError as error:
            raise explain_oserror(self._folder, error) from error

    def done(self, record: Record, measures: Mapping[str, float]) -> None:
        """The measures, at the last epoch."""
        if self._writer is None:
            return
        for name, value in measures.items():
            self._writer.add_scalar(f"test/{name}", value, self._epoch)

    def close(self) -> None:
        """Write what is pending."""
        if self._writer is not None:
            self._writer.close()

    def _begin(self, number: int) -> None:
        """A writer for a training. Where it begins anew, the curves of an earlier one are deleted;
        where it goes on from a checkpoint, no epoch is repeated.
        """
        from tensorboardX import SummaryWriter

        self.close()
        self._training = number
        folder = self._folder / str(number) if number else self._folder
        if self._epoch == 1:
            for old in folder.glob("events.out.tfevents.*"):
                old.unlink()
        # tensorboardX names files by the second: two that begin in one must not be one file.
        suffix = f".{self._epoch}"
        self._writer = SummaryWriter(str(folder), purge_step=self._epoch, filename_suffix=suffix)
        self._writer.add_text("cell", f"```\n{json.dumps(self._cell, indent=1)}\n```", self._epoch)
