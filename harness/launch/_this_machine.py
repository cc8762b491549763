"""Options of the launchers that run cells on this machine."""

from __future__ import annotations

from harness.core.errors import BadInput
from harness.core.protocols.launcher import LaunchOptions
from harness.training.threads import cores


def number_of_jobs(options: LaunchOptions, launcher: str) -> int:
    """How many cells or jobs run at once: `--jobs`, by default one for each core.

    Raises BadInput for the options of a cluster.
    """
    if options.profile is not None or options.changes:
        option = "--profile" if options.profile is not None else "--set"
        raise BadInput(f"{option} belongs to --launch slurm, not to --launch {launcher}")
    return options.jobs or cores()
