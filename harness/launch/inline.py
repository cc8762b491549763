"""Cells in this process, a thread for each core."""

from __future__ import annotations

from harness.core.protocols.launcher import Launched, LaunchOptions, LaunchRequest
from harness.launch._this_machine import number_of_jobs


def settings(options: LaunchOptions) -> int:
    """The number of threads. Raises BadInput for the options of a cluster."""
    return number_of_jobs(options, "inline")


def submit(request: LaunchRequest) -> Launched:
    """Run the cells to the end. A failed cell has a failed Record, so there is no complaint."""
    request.run_here(request.cells, request.settings)
    return Launched()
