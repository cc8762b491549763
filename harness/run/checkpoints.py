"""Where the checkpoints of trainings are, and when they are no longer needed."""

from __future__ import annotations

from pathlib import Path

from harness.core.cells import KeyedCell
from harness.core.store import Store
from harness.training.checkpoint_files import CheckpointFiles


def checkpoint_folder(keyed: KeyedCell, store: Store) -> Path:
    """Where the checkpoints and the saved weights of a training are."""
    return store.root / "checkpoints" / keyed.train_key


def forget_checkpoint(keyed: KeyedCell, store: Store) -> None:
    """Remove the checkpoints of a training whose Record is written, of every configuration."""
    folder = checkpoint_folder(keyed, store)
    for number in {path.name.partition(".")[0] for path in folder.glob("*.pt")}:
        CheckpointFiles(folder / f"{number}.pt").remove()
