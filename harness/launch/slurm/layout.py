"""What would be submitted for some cells: batches, options of sbatch, hours. Submits nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from harness.core.cells import KeyedCell
from harness.core.protocols.launcher import CellCost, Forecast
from harness.core.words import plural
from harness.launch.slurm.limits import Limits
from harness.launch.slurm.profile import NamedProfile, Profile, sbatch_options
from harness.launch.slurm.requeues import START_SECONDS, jobs_of, note_on_requeues
from harness.plan.batches import Batch, batches

#: Part of the time limit that a batch may be planned to take.
TIME_USED = 0.8
ASSUMED = Limits()


@dataclass(frozen=True)
class SubmissionLayout:
    """Batches of cells and the profile that they are submitted with."""

    batches: tuple[Batch, ...]  # the longest first
    profile: Profile
    file: str  # of the profile
    limits: Limits = ASSUMED

    def seconds(self, batch: Batch) -> float:
        """How long the job of a batch may take."""
        return START_SECONDS + max(batch.seconds / self.profile.threads, batch.longest)

    @property
    def core_hours(self) -> float:
        return self._hours() * self.profile.cpus * self.profile.tasks

    @property
    def gpu_hours(self) -> float:
        return self._hours() * self.profile.gpus * self.profile.nodes

    @property
    def hours(self) -> float:
        """In `unit`."""
        return self.gpu_hours if self.profile.gpus else self.core_hours

    @property
    def unit(self) -> str:
        return "GPU-hours" if self.profile.gpus else "core-hours"

    @property
    def too_long(self) -> int:
        """Batches of shorter trainings that may not all end within the time limit."""
        return sum(
            self.seconds(b) > 60 * self.profile.time and jobs_of(b.longest, self.profile) == 1
            for b in self.batches
        )

    @property
    def requeues(self) -> str | None:
        """A sentence on trainings that are longer than the time limit."""
        return note_on_requeues((b.longest for b in self.batches), self.profile)

    def _hours(self) -> float:
        return sum(map(self.seconds, self.batches)) / 3600


def lay_out(
    cells: Sequence[KeyedCell], settings: NamedProfile, cost: CellCost, limits: Limits = ASSUMED
) -> SubmissionLayout:
    """Batches of the length that the profile asks for, the longest first; longer ones where there
    would be more than a cluster takes, as far as its time limit allows.
    """
    profile = settings.profile
    fair = sum(cost(c.cell) for c in cells) / max(1, limits.wanted)
    longest = 60.0 * profile.time * profile.threads * TIME_USED
    seconds = max(60.0 * profile.pack * profile.threads, min(fair, longest))
    return SubmissionLayout(
        tuple(batches(cells, 1, seconds=seconds, cost=cost)), profile, settings.file, limits
    )


def forecast(layout: SubmissionLayout, seconds: float) -> Forecast:
    """The layout in words and as JSON data; `seconds` of one core for all cells."""
    return Forecast(
        seconds, layout.hours, layout.unit, lines=_lines(layout), document=_document(layout)
    )


def _lines(layout: SubmissionLayout) -> list[str]:
    """Batches, hours and options of sbatch."""
    if not layout.batches:
        return []
    sizes = [len(b.cells) for b in layout.batches]
    same = min(sizes) == max(sizes)
    cells = plural(max(sizes), "cell") if same else f"{min(sizes)} to {max(sizes)} cells"
    options = sbatch_options(layout.profile).items()
    lines = [
        f"  {plural(len(sizes), 'batch')} of {cells}, at most {layout.profile.parallel} at once, "
        f"the longest about {layout.seconds(layout.batches[0]) / 60:.1f} min",
        f"  about {layout.hours:.2g} {layout.unit} in all",
        f"  {layout.file}: "
        + " ".join(f"--{k}" if v == "yes" else f"--{k}={v}" for k, v in options),
    ]
    if layout.too_long:
        lines.append(
            f"  note: {plural(layout.too_long, 'batch')} may not end within the time limit: "
            f"requeued up to {layout.profile.timeouts} times"
        )
    lines += [f"  note: {note}" for note in _notes(layout)]
    return lines


def _notes(layout: SubmissionLayout) -> list[str]:
    """What the limits of the cluster mean for this submission."""
    number, limits = len(layout.batches), layout.limits
    notes = [note for note in (layout.requeues, *limits.notes) if note is not None]
    if number > limits.array:
        notes.append(f"{number} batches are {ceil(number / limits.array)} job arrays")
    if limits.jobs is not None and number > limits.jobs:
        notes.append(
            f"{number} batches are more than the {limits.jobs} jobs that SLURM takes of you at "
            "once; it may refuse them: give batches more time (time, pack)"
        )
    return notes


def _document(layout: SubmissionLayout) -> dict[str, Any]:
    return {
        "hours": layout.hours,
        "unit": layout.unit,
        "core_hours": layout.core_hours,
        "gpu_hours": layout.gpu_hours,
        "profile": layout.file,
        "sbatch": sbatch_options(layout.profile),
        # Scripts read this key, whose name is older than the word batch.
        "packs": [
            {"cells": [c.key for c in batch.cells], "seconds": layout.seconds(batch)}
            for batch in layout.batches
        ],
    }
