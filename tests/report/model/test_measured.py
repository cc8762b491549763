"""The measures of a Record: their order, their titles, and those that cannot be loaded any more."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from harness.core.records import Record
from harness.report.model.measured import MeasureTitle, in_order, measures_of, title_of_measure


class Margin:
    """A measure of its own."""

    TITLE, UNIT, BETTER = "Margin", "", "higher"

    @staticmethod
    def compute(predictions: object, labels_N: object, groups_N: object) -> float:
        return 0.0


def test_top_level_measures_come_first_and_the_others_sorted() -> None:
    record = Record(
        "k", {}, "done", top1=0.5, mean_class=0.4, ece=0.1, measures={"z": 3.0, "a.b:c": 2.0}
    )
    assert list(measures_of(record).items()) == [
        ("top1", 0.5), ("mean_class", 0.4), ("ece", 0.1), ("a.b:c", 2.0), ("z", 3.0),
    ]  # fmt: skip
    assert in_order(["z", "ece", "a.b:c", "top1", "z"]) == ["top1", "ece", "a.b:c", "z"]


def test_a_measure_of_zero_is_a_measure() -> None:
    assert measures_of(Record("k", {}, "done", top1=0.0, nll=0.0)) == {"top1": 0.0, "nll": 0.0}


def test_titles_and_units_are_those_of_the_plugins() -> None:
    assert title_of_measure("top1") == MeasureTitle("Top-1 accuracy", "fraction")
    assert title_of_measure("top1").is_fraction
    assert title_of_measure("nll") == MeasureTitle("Negative log-likelihood", "nats", True)


def test_an_outside_measure_has_its_title_while_it_can_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("my_measures")
    vars(module)["Margin"] = Margin
    monkeypatch.setitem(sys.modules, "my_measures", module)
    assert title_of_measure("my_measures:Margin") == MeasureTitle("Margin")


@pytest.mark.parametrize("name", ["gone.away:margin", "no_such_measure"])
def test_a_measure_that_is_gone_is_shown_under_its_name(name: str) -> None:
    assert title_of_measure(name) == MeasureTitle(name)
