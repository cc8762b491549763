"""What pydantic refuses, in one sentence that names the key, what is allowed and the nearest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from harness.task.messages import Problem, first_problem


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: Literal["small", "large"] = "small"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: StrictInt | None = None
    inner: Inner = Inner()
    several: list[StrictInt | StrictStr] = []
    form: Annotated[StrictStr, Field(pattern=r"^\d+x\d+$")] = "1x1"
    needed: int


def problem(data: Any, **options: Any) -> Problem:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(data)
    return first_problem(caught.value, lambda location: Model.model_fields, **options)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, Problem("needed", "is missing")),
        (
            {"needed": 1, "numbr": 2},
            Problem("numbr", "there is no such key", tuple(Model.model_fields), "number"),
        ),
        (
            {"needed": 1, "inner": {"size": "smal"}},
            Problem("inner.size", "'smal' is not allowed", ("small", "large"), "small"),
        ),
        (
            {"needed": 1, "number": "x"},
            Problem("number", "'x': input should be a valid integer"),
        ),
        (
            {"needed": 1, "several": [1, None]},
            Problem("several", "None: input should be a valid integer"),
        ),
    ],
)
def test_the_first_problem(data: Any, expected: Problem) -> None:
    assert problem(data) == expected


def test_a_form_is_said_in_words() -> None:
    assert problem({"needed": 1, "form": "axb"}, forms={"form": "WIDTHxHEIGHT"}) == Problem(
        "form", "'axb' is not allowed", ("WIDTHxHEIGHT",)
    )


def test_a_long_mapping_is_not_printed() -> None:
    long = {f"key{n}": "value" for n in range(20)}
    assert problem({"needed": 1, "number": long}).sentence == "input should be a valid integer"


def test_of_a_file_and_of_an_option() -> None:
    found = Problem("lr", "is missing", ("a", "b"), "a")
    assert str(found.of_file("t.yaml", below="recipe")) == (
        "t.yaml: recipe.lr: is missing; allowed: a, b. Did you mean 'a'?"
    )
    assert str(found.of_option("lda")) == (
        "lda: option lr: is missing; allowed: a, b. Did you mean 'a'?"
    )


def test_an_option_that_a_plugin_does_not_have() -> None:
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")

    with pytest.raises(ValidationError) as caught:
        Options.model_validate({"scale": 1})
    found = first_problem(caught.value, lambda _: Options.model_fields, noun="option")
    assert str(found.of_option("mine")) == (
        "mine: option scale: there is no such option; allowed: none"
    )
