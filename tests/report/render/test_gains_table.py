"""The tables of classes that gain and lose."""

from __future__ import annotations

from harness.report.model.table import build_table
from harness.report.render.gains_table import gains_table

from ..model.test_class_gains import RANDOM, TEXT, predicted


def test_classes_and_confusions() -> None:
    results = predicted({"text": TEXT, "random": RANDOM})
    zero, one, two = next(iter(results.tests.values())).class_names
    parts = gains_table(results, build_table(results)).split("\n\n")
    assert parts[0].split("\n")[-1] == (
        f"| random | {two} +50.0, {one} +25.0 | {zero} -50.0 | 2 | 0 | 1 |"
    )
    assert parts[1].split("\n")[-1] == (
        f"| random | {zero} → {one} +50.0 | {two} → {zero} -50.0, {one} → {zero} -25.0 |"
    )
    assert parts[2].startswith("Every row minus text at 1 shot; means over seeds, in points of ")
    assert " A class has 2 test items. Descriptive: no class is tested" in parts[2]


def test_what_is_not_there_is_a_dash() -> None:
    results = predicted({"text": TEXT, "random": [[0, 1, 2, 0, 1, 2]] * 2})
    parts = gains_table(results, build_table(results)).split("\n\n")
    assert parts[0].split("\n")[-1].split(" | ")[2] == "–"
    assert parts[1].split("\n")[-1].split(" | ")[1] == "–"


def test_it_is_empty_without_a_change() -> None:
    results = predicted({"text": TEXT, "random": TEXT})
    assert gains_table(results, build_table(results)) == ""
