"""Progress: lines where nobody watches, bars on a terminal, and what is counted of cells."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field, replace

import pytest

from harness.commands._progress import QUIET_SECONDS, Progress, progress_events
from harness.core.cells import Cell, Choice, KeyedCell, Recipe


class Clock:
    """Seconds that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("harness.commands._progress.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_lines_come_now_and_then_and_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress() as progress:
        progress.update("cells", 0, 4)
        clock.now += QUIET_SECONDS / 2
        progress.update("cells", 1, 4)
        assert capsys.readouterr() == ("", "")
        clock.now += QUIET_SECONDS / 2
        progress.update("cells", 2, 4)
        assert capsys.readouterr() == ("", "cells: 2 of 4 after 10 s, about 10 s left\n")
        progress.update("cells", 3, 4)
        clock.now += 1
        progress.update("cells", 4, 4)
    assert capsys.readouterr() == ("", "cells: 4 of 4 after 11 s\n")


def test_each_name_is_counted_apart_and_a_total_of_zero_is_not_shown(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress() as progress:
        progress.update("pictures", 0, 2)
        clock.now += 5
        progress.update("cells", 1, 1)
        progress.update("epochs", 0, 0)
        progress.update("pictures", 2, 2)
    assert capsys.readouterr().err.splitlines() == [
        "cells: 1 of 1 after 0 s", "pictures: 2 of 2 after 5 s"
    ]  # fmt: skip


def test_what_ends_soon_has_no_line_where_that_is_asked_for(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(first_seconds=1.0) as progress:
        progress.update("files", 0, 8000)
        clock.now += 0.9
        progress.update("files", 8000, 8000)
        assert capsys.readouterr() == ("", "")
        progress.update("files", 8000, 16000)
        clock.now += 0.6
        progress.update("files", 9000, 16000)
        clock.now += QUIET_SECONDS / 2
        progress.update("files", 10000, 16000)
        clock.now += 1
        progress.update("files", 16000, 16000)
    assert capsys.readouterr() == (
        "", "files: 9000 of 16000 after 2 s, about 1 s left\nfiles: 16000 of 16000 after 8 s\n"
    )  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar_for_each_name(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with Progress() as progress:
        for done in (1, 2):
            progress.update("pictures", done, 2)
        progress.update("cells", 1, 3)
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", terminal.getvalue()).splitlines()
    for name, count in (("pictures", "2/2"), ("cells", "1/3")):
        assert any(name in line and count in line for line in shown), shown


# --- what is counted -----------------------------------------------------------------------------


@dataclass
class Updates(Progress):
    """What would be shown."""

    shown: list[tuple[str, int, int]] = field(default_factory=list)

    def update(self, name: str, done: int, total: int) -> None:
        self.shown.append((name, done, total))


FULL = Cell(Choice("emoji"), "full", Choice("e"), tuning="all", recipe=Recipe(epochs=10))


def keyed(cell: Cell, key: str, train_key: str) -> KeyedCell:
    return KeyedCell(cell, key, train_key)


def test_events_are_shown_by_name() -> None:
    cells = [keyed(replace(FULL, tuning="head", seed=n), f"k{n}", f"t{n}") for n in range(2)]
    updates = Updates()
    events = progress_events(updates, cells)
    events.features(3, 9)
    events.ready()
    events.epoch(cells[0], {"epoch": 1})
    events.cell(cells[0], "done")
    events.cell(cells[1], "failed")
    assert updates.shown == [
        ("pictures", 3, 9), ("cells", 0, 2), ("cells", 1, 2), ("cells", 2, 2)
    ], "epochs of cells that take seconds are not shown"  # fmt: skip


def test_epochs_of_cells_that_train_together_are_counted_once() -> None:
    """Two cells of one training, and one that continues from a checkpoint of its fourth epoch."""
    cells = [keyed(FULL, "k0", "t0"), keyed(replace(FULL, views="2x1"), "k1", "t0"),
             keyed(replace(FULL, seed=1), "k2", "t1")]  # fmt: skip
    updates = Updates()
    events = progress_events(updates, cells)
    for cell, epoch in ((cells[0], 1), (cells[2], 5), (cells[0], 2)):
        events.epoch(cell, {"epoch": epoch})
    assert updates.shown == [("epochs", 1, 20), ("epochs", 6, 20), ("epochs", 7, 20)]


def test_a_search_has_the_epochs_of_all_its_trainings() -> None:
    cell = keyed(replace(FULL, search=(("lr", (0.1, 0.2, 0.3)),)), "k", "t")
    updates = Updates()
    events = progress_events(updates, [cell])
    events.epoch(cell, {"epoch": 10, "training": 0})
    events.epoch(cell, {"epoch": 4, "training": 2})
    assert updates.shown == [("epochs", 10, 30), ("epochs", 24, 30)]
