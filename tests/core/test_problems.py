"""All problems of a data set in one error."""

from __future__ import annotations

import pytest

from harness.core.errors import DataError
from harness.core.problems import MOST, DataProblems, Problems, and_more


def test_without_problems_nothing_is_raised() -> None:
    Problems("folder:x").refuse()
    assert Problems("folder:x").error() is None


def test_one_problem_is_its_own_sentence() -> None:
    problems = Problems("folder:x")
    problems.add("kind", "class 'oak' is empty")
    with pytest.raises(DataError, match=r"^class 'oak' is empty$"):
        problems.refuse()


def test_several_are_told_by_kind_and_the_rest_is_counted() -> None:
    problems = Problems("folder:x")
    for number in range(MOST + 3):
        problems.add("line", f"line {number}")
        if number < 2:
            problems.add("class", f"class {number}")
    with pytest.raises(DataProblems) as told:
        problems.refuse()
    lines = [*(f"line {n}" for n in range(MOST)), "... and 3 more", "class 0", "class 1"]
    assert told.value.lines == tuple(lines)
    assert str(told.value) == f"folder:x: {MOST + 5} problems:\n  " + "\n  ".join(lines)


def test_the_problems_of_an_error_are_taken_over() -> None:
    inner, outer = Problems("list"), Problems("folder:x")
    for text in ("a", "b"):
        inner.add("kind", text)
    error = inner.error()
    assert error is not None
    outer.add_error("inner", error)
    outer.add_error("inner", DataError("c"))
    assert outer.lines() == ["a", "b", "c"]


def test_an_error_that_ends_it_is_told_with_what_was_found_before() -> None:
    problems = Problems("folder:x")
    with pytest.raises(DataError, match=r"^no file$"), problems.with_last():
        raise DataError("no file")
    problems.add("kind", "a")
    with pytest.raises(DataProblems) as told, problems.with_last():
        raise DataError("no file")
    assert told.value.lines == ("a", "no file")


def test_the_first_few_and_how_many_more() -> None:
    assert and_more("ab") == "a, b"
    assert and_more(map(str, range(MOST + 2))).endswith("18, 19, ... and 2 more")
