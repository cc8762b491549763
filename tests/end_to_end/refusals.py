"""What every mistake must give: one clear error, exit code 2, no traceback, nothing broken."""

from __future__ import annotations

from pathlib import Path

from conftest import Ended, leftovers


def check_refused(ended: Ended, says: tuple[str, ...], folder: Path) -> None:
    """`says` are the words that the error must have."""
    assert ended.code == 2, ended
    assert len(ended.errors()) == 1, ended.err
    assert ended.err.splitlines()[-1] == ended.errors()[0], "one line"
    assert len([line for line in ended.err.splitlines() if "error" in line.lower()]) == 1, ended.err
    assert "Traceback" not in ended.err + ended.out
    assert ended.out == ""
    for word in says:
        assert word in ended.errors()[0]
    assert len(ended.errors()[0]) < 1500, "an error is read by people"
    assert leftovers(folder) == []
    assert list(folder.glob("runs/cells/*/*")) == []
