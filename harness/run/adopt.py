"""Records under the earlier key of their cell are copied to the key that it has now.

The earlier ones stay: other tasks, and earlier versions of the harness, may need them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.files import explain_oserror
from harness.core.records import Record
from harness.core.store import Store
from harness.plan.earlier_keys import Earlier
from harness.plan.resolve import ResolvedCell
from harness.training.weights import NAME


@dataclass(frozen=True)
class Adopted:
    """How many Records were copied, and the earlier keys of those that cannot be."""

    records: int = 0
    #: Their test or support set is not the one that the cell has now.
    of_other_samples: tuple[str, ...] = ()


def adopt_records(earlier: Iterable[Earlier], store: Store) -> Adopted:
    """Copy Records, with their arrays and saved weights, to the keys that their cells have now.

    Raises DiskFull or OutputError; what was copied stays.
    """
    copied, other = 0, []
    for each in earlier:
        record = store.read(each.key)
        if record is None or record.status != "done":
            continue  # another process has moved it since the plan was made
        if not _same_samples(record, each.resolved):
            other.append(each.key)
            continue
        _copy_weights(each, store)
        arrays = store.arrays(record)
        copied += store.write(_under_key_of(each, record), arrays or None)
    return Adopted(copied, tuple(other))


def _same_samples(record: Record, resolved: ResolvedCell) -> bool:
    """Whether the cell would be tested and trained on the same items if it ran now."""
    support = resolved.support
    same_test = record.test == resolved.test.sha256[:16]
    return same_test and record.support == (support.sha256[:16] if support else None)


def _under_key_of(each: Earlier, record: Record) -> Record:
    """The same result, whose environment names the key that it was computed under."""
    resolved = each.resolved
    return replace(
        record,
        key=resolved.key,
        train_key=resolved.train_key,
        cell=resolved.cell.plain(),
        environment={**record.environment, "adopted_from": each.key},
        arrays=None,  # `write` names them by the key
    )


def _copy_weights(each: Earlier, store: Store) -> None:
    """Weights that `save: last` wrote. Before the Record, as a cell that has one is not run again.

    Raises DiskFull or OutputError.
    """
    folder = store.root / "checkpoints"
    source, target = (folder / key / NAME for key in (each.train_key, each.resolved.train_key))
    if not source.is_file() or target.exists():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{NAME}.{os.getpid()}.{os.urandom(4).hex()}.new")
        _link_or_copy(source, temporary)
        temporary.replace(target)
    except OSError as error:
        raise explain_oserror(target, error) from error


def _link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file, which no one writes into, where the file system has such."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
