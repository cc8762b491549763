"""Cells in threads of this process: all of them run, and their number changes no result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core import registry
from harness.core.cells import KeyedCell
from harness.core.protocols.launcher import Events, Launched, Launcher
from harness.core.store import Store

from .examples import invented, planned, request


def test_cells_are_run_here_in_so_many_threads(tmp_path: Path) -> None:
    calls: list[tuple[Sequence[KeyedCell], int]] = []
    cells = invented(3)
    launcher = registry.load(Launcher, "inline")
    launched = launcher.submit(
        request(Store(tmp_path), cells, 5, run_here=lambda *call: calls.append(call))
    )
    assert calls == [(cells, 5)]
    assert launched == Launched()


def test_the_number_of_threads_changes_no_bit(tmp_path: Path) -> None:
    science = []
    for threads in (1, 2):
        store = Store(tmp_path / str(threads))
        ended: list[str] = []
        events = Events(cell=lambda keyed, status, ended=ended: ended.append(status))
        cells = planned(store)
        registry.load(Launcher, "inline").submit(request(store, cells, threads, events=events))
        assert ended == ["done"] * 4
        science.append({c.key: getattr(store.read(c.key), "science_hash", None) for c in cells})
    assert science[0] == science[1]
    assert None not in science[0].values()
