"""A launcher from outside the package: one file, found by its name, runs cells like the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import registry
from harness.core.errors import BadInput
from harness.core.protocols.launcher import Events, Forecast, JobReport, Launcher, LaunchOptions
from harness.core.store import Store

from .examples import invented, planned, request

OWN_LAUNCHER = '''
"""Cells one after the other, the cheapest first."""

from harness.core.protocols.launcher import Launched


class Launcher:
    """Cells one after the other, the cheapest first."""

    @staticmethod
    def submit(request):
        for keyed in sorted(request.cells, key=lambda keyed: request.cost(keyed.cell)):
            request.run_here([keyed], 1)
        return Launched(messages=[f"{len(request.cells)} cells"])


submit = Launcher.submit
'''


@pytest.fixture(params=["own_launcher:Launcher", "own_launchers.plain"])
def own_launcher(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Launcher:
    """As an object in a module, and as a module of a package."""
    (tmp_path / "own_launcher.py").write_text(OWN_LAUNCHER)
    (tmp_path / "own_launchers").mkdir()
    (tmp_path / "own_launchers" / "plain.py").write_text(OWN_LAUNCHER)
    monkeypatch.syspath_prepend(tmp_path)
    return registry.load(Launcher, request.param)


def test_it_runs_cells_in_its_own_order(own_launcher: Launcher, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    cells = planned(store)
    ended: list[str] = []
    events = Events(cell=lambda keyed, status: ended.append(keyed.key))
    costs = {c.cell: -n for n, c in enumerate(cells)}  # the last is the cheapest
    launched = own_launcher.submit(
        request(store, cells, own_launcher.settings(LaunchOptions()), events=events, cost=costs.get)
    )
    assert ended == [c.key for c in reversed(cells)]
    assert set(store.statuses(ended).values()) == {"done"}
    assert list(launched.messages) == ["4 cells"]


def test_what_it_leaves_out_has_a_default(own_launcher: Launcher, tmp_path: Path) -> None:
    options = LaunchOptions(jobs=2)
    assert own_launcher.settings(options) == options
    assert own_launcher.DETACHED is False
    assert own_launcher.status(Store(tmp_path), [], []) == JobReport()
    forecast = own_launcher.forecast(invented(6), lambda cell: 600.0, options)
    assert (forecast.seconds, forecast.hours, forecast.unit) == (3600.0, 1.0, "core-hours")
    assert isinstance(forecast, Forecast)


def test_one_that_cannot_submit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "idle_launcher.py").write_text("class Idle:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match=r"idle_launcher:Idle.*submit: is missing"):
        registry.load(Launcher, "idle_launcher:Idle")
