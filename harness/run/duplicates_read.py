"""Duplicates among pictures that a tuned backbone has read: known once its cell has been tested."""

from __future__ import annotations

from harness.core.cells import Choice
from harness.plan.needs import needs_test_features
from harness.plan.resolve import ResolvedCell
from harness.run.duplicates import find_duplicates
from harness.run.leakage import Fingerprint
from harness.run.resources import Resources
from harness.training.distributed import world


def warnings_of_read(
    resolved: ResolvedCell, fingerprint: Fingerprint, resources: Resources
) -> tuple[str, ...]:
    """The warnings of a cell; none for one on features, whose pixels are compared before it runs.

    Several processes read a part of the pictures each: call it in all of them.
    """
    cell, setup = resolved.cell, resolved.setup
    if needs_test_features(resolved) or setup.test_dataset.kind != "pictures":
        return ()
    hashes: dict[Choice, dict[str, str]] = {cell.dataset: {}}
    if cell.test_dataset is not None:
        hashes[cell.test_dataset] = {}
    for choice, of_dataset in hashes.items():
        for of_process in world().of_each(resources.pixels(choice, None)):
            of_dataset.update(of_process)

    def pixels(choice: Choice, frames: int | None, item: str) -> str | None:
        return hashes[choice].get(item)

    found = find_duplicates([resolved], fingerprint, pixels)
    resources.tell(found.notes)
    return found.warnings.get(resolved.key, ())
