"""Logs and measures of a run: the measures of the package always, others by their names."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core import registry
from harness.core.errors import BadInput, UnknownName
from harness.run.plugins import run_plugins


def test_the_measures_of_the_package_are_always_there(elsewhere: Any) -> None:
    name = elsewhere(
        "half", TITLE="Half", UNIT="", BETTER="higher",
        compute=lambda predictions, labels_N, groups_N: 0.5,
    )  # fmt: skip
    plugins = run_plugins(measures=[name, "top1"])
    assert list(plugins.measures) == [*registry.names("measure"), name]
    assert plugins.measures[name].compute(None, None, None) == 0.5  # type: ignore[arg-type]
    assert plugins.logs == []
    assert list(run_plugins().measures) == registry.names("measure")


def test_logs_must_be_ready(elsewhere: Any) -> None:
    asked: list[str] = []

    def ready() -> None:
        asked.append("ready")
        raise BadInput("the package x is missing")

    ok = elsewhere("lines", open_log=lambda folder, key, cell: None)
    broken = elsewhere("broken", ready=ready, open_log=lambda folder, key, cell: None)
    assert len(run_plugins([ok, "jsonl"]).logs) == 2
    with pytest.raises(BadInput, match="the package x is missing"):
        run_plugins([ok, broken])
    assert asked == ["ready"]


@pytest.mark.parametrize(
    ("logs", "measures", "words"),
    [(["jsnl"], [], "no log is called 'jsnl'.*'jsonl'"), ([], ["top2"], "no measure is called")],
)
def test_unknown_names(logs: list[str], measures: list[str], words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        run_plugins(logs, measures)
