"""Options of the launchers that run cells on this machine."""

from __future__ import annotations

import sys

from harness.core.errors import BadInput
from harness.core.protocols.launcher import LaunchOptions
from harness.training.device import gpu_shares
from harness.training.threads import cores


def number_of_jobs(options: LaunchOptions, launcher: str, *, gpus_each: bool = False) -> int:
    """How many cells or jobs run at once: `--jobs`, by default one for each core. A GPU computes
    one cell at a time: with GPUs as many as there are (`gpus_each`: jobs have one each), or one.

    Raises BadInput for the options of a cluster, and for a GPU that was reserved and is not seen.
    """
    if options.profile is not None or options.changes:
        option = "--profile" if options.profile is not None else "--set"
        raise BadInput(f"{option} belongs to --launch slurm, not to --launch {launcher}")
    gpus = len(gpu_shares())
    if not gpus:
        return options.jobs or cores()
    most = gpus if gpus_each else 1
    wanted = options.jobs or most
    if wanted > most:
        print(f"note: --jobs {wanted}: {_at_once(most, gpus)}", file=sys.stderr)
    elif gpus > most:
        print(f"note: {_at_once(most, gpus)}", file=sys.stderr)
    return min(wanted, most)


def _at_once(most: int, gpus: int) -> str:
    if most < gpus:
        return f"one of {gpus} GPUs is used, one cell at a time; --launch local uses all of them"
    cells = "one cell at a time" if most == 1 else f"{most} cells at once"
    return f"a GPU computes one cell at a time, so {gpus} of them compute {cells}"
