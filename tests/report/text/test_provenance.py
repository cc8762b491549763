"""Provenance: one hash over the science, and warnings about the code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.report.model.results import Results
from harness.report.text.provenance import provenance, science_hash

from ..studies import few_shot, few_shot_accuracy, make_results, task_of


def with_environment(results: Results, **changes: Any) -> Results:
    first, *rest = results.results
    assert first.record is not None
    environment = {**first.record.environment, **changes}
    changed = replace(first, record=replace(first.record, environment=environment))
    return replace(results, results=(changed, *rest))


def test_equal_results_have_equal_hashes_wherever_they_ran() -> None:
    here, there = few_shot(), few_shot(host="b", wall=77.0)
    assert science_hash(here) == science_hash(there)
    turned = replace(here, results=here.results[::-1])
    assert science_hash(turned) == science_hash(here)


def test_another_result_or_a_missing_one_is_another_hash() -> None:
    here = few_shot()
    other = make_results(task_of(), lambda c: few_shot_accuracy(c) - 0.1)
    late = few_shot(status=lambda c: "missing" if c.seed == 4 and c.shots == 1 else "done")
    assert len({science_hash(r) for r in (here, other, late)}) == 3


def test_cost_and_place() -> None:
    text = provenance(few_shot(wall=60.0), "python -m harness grid `x`")
    assert "- Records: 115 of 115 cells; science hash: `" in text
    assert "- Command: `python -m harness grid x`" in text
    assert "- Time, summed over cells: 1.92 h of wall time, 0.96 GPU hours" in text
    assert "- Peak memory of a process that ran cells: 60 MiB" in text
    assert "- Host: a; device: cpu" in text
    assert "- Versions: torch a" in text
    assert "**" not in text


def test_mixed_commits_and_uncommitted_changes_are_said() -> None:
    text = provenance(with_environment(few_shot(), commit="other", dirty=True), "x")
    assert "**Mixed commits:** the cells were computed by 2 versions of the code." in text
    assert "**Uncommitted changes** to the code were present while 1 cell was computed." in text


def test_records_that_were_taken_over_are_said() -> None:
    text = provenance(with_environment(few_shot(), adopted_from="00" * 8), "x")
    assert "- **Taken over:** the Records of 1 cell are from before keys held the bytes" in text


def test_nothing_ran_yet() -> None:
    text = provenance(few_shot(status=lambda _: "missing"), "x")
    assert "- Records: 0 of 115 cells" in text
    assert "- Commit: not recorded" in text
