"""How a task is to be launched: what `plan` and `grid` share about profiles, packs and budgets."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.commands._session import Session, say
from harness.core.errors import BadInput, TaskError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.launch.slurm.profile import Profile
    from harness.launch.slurm.submit import Layout
    from harness.plan.plan import Planned


@dataclass(frozen=True)
class Estimate:
    """What the missing cells may take. `layout` is None without SLURM."""

    seconds: float  # of one core
    layout: Layout | None = None

    @property
    def hours(self) -> float:
        """GPU-hours where the profile has GPUs, else core-hours."""
        if self.layout is None:
            return self.seconds / 3600
        return self.layout.gpu_hours or self.layout.core_hours

    @property
    def unit(self) -> str:
        return "GPU-hours" if self.layout and self.layout.profile.gpus else "core-hours"


def check(args: Namespace) -> tuple[Profile, str] | None:
    """Look at the options that belong together; the profile and its file with `--launch slurm`.

    Raises BadInput.
    """
    if args.launch != "slurm":
        if args.profile is not None or args.changes:
            option = "--profile" if args.profile is not None else "--set"
            raise BadInput(f"{option} belongs to --launch slurm, not to --launch {args.launch}")
        return None
    from harness.launch.slurm.profile import profiles, read_profile

    if args.profile is None:
        known = ", ".join(profiles())
        raise BadInput(
            f"--launch slurm needs --profile FILE, or the name of one in slurm/: {known}"
        )
    if args.jobs is not None:
        raise BadInput("--jobs belongs to inline and local; for slurm: --set parallel=N")
    return read_profile(args.profile, args.changes)


def to_run(session: Session, args: Namespace) -> tuple[list[Planned], int]:
    """The cells to run now, and how many others a job on a cluster may still write.

    Raises QueueError if SLURM is to be used and does not answer.
    """
    from harness.launch.slurm.inflight import look
    from harness.launch.slurm.queue import QueueError

    missing = session.plan.missing()
    flights = look(session.store, (p.key for p in missing))
    if flights.problem is not None and args.launch == "slurm":
        raise QueueError(flights.problem)
    if flights.problem is not None:
        say(f"note: {flights.problem}; cells that were submitted to SLURM may run twice")
    flying = flights.in_flight()
    # What has ended since the plan was made is not run again.
    now = session.store.statuses(p.key for p in missing)
    done = {k for k, v in now.items() if v == "done" and k not in session.store.replacing}
    return [p for p in missing if p.key not in flying and p.key not in done], len(flying)


def estimate(
    session: Session, profile: tuple[Profile, str] | None, cells: Sequence[Planned]
) -> Estimate:
    """What these cells may take, here or with a profile of a cluster and its file."""
    from harness.plan.estimate import learned

    cost = learned(session.store)
    seconds = sum(cost(p.cell) for p in cells)
    if profile is None:
        return Estimate(seconds)
    from harness.launch.slurm.submit import lay_out

    return Estimate(seconds, lay_out(cells, *profile, cost))


def check_budget(session: Session, found: Estimate, yes: bool) -> None:
    """Ask before more is spent than the task declares; without a terminal, refuse.

    Raises TaskError, and BadInput for a no.
    """
    most = budget_hours(session)
    if most is None or found.hours <= most or yes:
        return
    told = (
        f"about {found.hours:.2g} {found.unit} (an estimate) are more than the budget of {most:g}"
    )
    if not sys.stdin.isatty():
        raise TaskError(
            str(session.file), "budget.hours", f"{told}: raise it, or go on all the same with --yes"
        )  # fmt: skip
    print(f"{session.task.name}: {told}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadInput("nothing was launched")


def budget_hours(session: Session) -> float | None:
    """`budget: {hours: N}`: GPU-hours on a profile with GPUs, else core-hours.

    Raises TaskError for any other budget.
    """
    budget = session.task.budget
    if budget is None:
        return None
    hours = budget.get("hours")
    if set(budget) != {"hours"} or isinstance(hours, bool) or not isinstance(hours, int | float):
        raise TaskError(str(session.file), "budget", f"{budget}: must be {{hours: NUMBER}}")
    if hours <= 0:
        raise TaskError(str(session.file), "budget.hours", f"{hours}: must be above 0")
    return float(hours)


def describe(found: Estimate) -> list[str]:
    """Packs, options of sbatch and hours, in lines."""
    layout = found.layout
    if layout is None or not layout.packs:
        return []
    sizes = [len(p.cells) for p in layout.packs]
    cells = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
    lines = [
        f"  {len(sizes)} packs of {cells} cells, at most {layout.profile.parallel} at once, the "
        f"longest about {layout.seconds(layout.packs[0]) / 60:.1f} min",
        f"  about {found.hours:.2g} {found.unit} in all",
        f"  {layout.file}: "
        + " ".join(f"--{k}" if v == "yes" else f"--{k}={v}" for k, v in _sbatch(layout).items()),
    ]
    if layout.too_long:
        lines.append(
            f"  note: {layout.too_long} packs may not end within the time limit; they are requeued "
            f"up to {layout.profile.timeouts} times"
        )
    return lines


def document(found: Estimate) -> dict[str, Any]:
    """The same as JSON data."""
    layout = found.layout
    if layout is None:
        return {"hours": found.hours, "unit": found.unit}
    packs = [
        {"cells": [p.key for p in pack.cells], "seconds": layout.seconds(pack)}
        for pack in layout.packs
    ]
    return {
        "hours": found.hours,
        "unit": found.unit,
        "core_hours": layout.core_hours,
        "gpu_hours": layout.gpu_hours,
        "profile": layout.file,
        "sbatch": _sbatch(layout),
        "packs": packs,
    }


def _sbatch(layout: Layout) -> dict[str, str]:
    from harness.launch.slurm.profile import told_to_sbatch

    return told_to_sbatch(layout.profile)
