"""Runs of Weights & Biases in RUNS/logs/wandb; needs the package wandb, and no network or login.

Offline unless WANDB_MODE says otherwise: `wandb sync RUNS/logs/wandb/offline-run-*` sends them
later. A training that goes on after an interruption is a second run of the same group; the group is
the key of the cell.
WANDB_PROJECT names the project.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from harness.core.errors import BadInput
from harness.core.records import Record
from harness.logs._log import CURVES, need, training

PROJECT = "classifier-init-harness"


def ready() -> None:
    """Raises BadInput without the package."""
    need("wandb", "wandb")


def open_log(folder: Path, key: str, cell: Mapping[str, Any]) -> WandbRun:
    """A run of its own; several may be open in one process.

    Raises BadInput without the package, or if a run cannot be begun (online without a login).
    """
    ready()
    return WandbRun(folder, key, cell)


class WandbRun:
    """The curve by epoch, and the measures as its summary; a run a training of a search."""

    def __init__(self, folder: Path, key: str, cell: Mapping[str, Any]) -> None:
        self._folder, self._key, self._cell = folder, key, cell
        self._training = 0
        self._run = self._begin()

    def epoch(self, point: Mapping[str, Any]) -> None:
        """Raises BadInput if the run of another training of a search cannot be begun."""
        if training(point) != self._training:
            self.close()
            self._training = training(point)
            self._run = self._begin()
        values = {name: point[name] for name in CURVES if point.get(name) is not None}
        self._run.log(values, step=int(point["epoch"]), commit=True)

    def done(self, record: Record, measures: Mapping[str, float]) -> None:
        """Status and measures, as the summary of the run."""
        self._run.summary.update({"status": record.status, **measures})

    def close(self) -> None:
        """Wait until the run is on disk, or sent."""
        self._run.finish()

    def _begin(self) -> Any:
        import wandb

        self._folder.mkdir(parents=True, exist_ok=True)
        # It would capture the terminal, read the repository and sample the machine.
        quiet = wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True)
        number = f".{self._training}" if self._training else ""
        try:
            return wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                mode=cast(Any, os.environ.get("WANDB_MODE", "offline")),  # wandb refuses others
                dir=str(self._folder), name=self._key + number, group=self._key,
                config={"key": self._key, "training": self._training, **self._cell},
                reinit="create_new", settings=quiet,
            )  # fmt: skip
        except wandb.Error as error:
            words = " ".join(str(error).split())
            hint = "WANDB_MODE=offline needs no login"
            raise BadInput(f"--log wandb: {words[:200]}; {hint}") from error
