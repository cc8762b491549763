"""Plugins are checked against their Protocol: errors name plugin, member and what is expected;
what a plugin may leave out has the Protocol's default.
"""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from harness.core.cells import Cell, Choice
from harness.core.conform import conform, describe, members
from harness.core.errors import BadInput
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.classifier import Classifier, ClassifierOptions
from harness.core.protocols.dataset import Dataset
from harness.core.protocols.encoder import EncoderPlugin
from harness.core.protocols.measure import Measure
from harness.core.protocols.paradigm import Head
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.prompt import Prompt
from harness.core.protocols.temporal import Temporal

CELL = Cell(Choice("emoji"), "few_shot", Choice("e"))
FACTS = CellFacts(3, 1, EncoderFacts("w", "b", 4, 8, 32, 100.0))
WHERE = "the classifier 'mine' (mine.py)"


def build(inputs: object, options: object) -> None:
    """A member with the parameters that most Protocols call it with."""


def classifier(**changes: Any) -> SimpleNamespace:
    """The least that a classifier may define; a member that is None is left out."""
    least = {"USES": ("text",), "build": build} | changes
    return SimpleNamespace(**{k: v for k, v in least.items() if v is not None})


def refusal(protocol: type[Any], plugin: object) -> str:
    with pytest.raises(BadInput) as caught:
        conform(protocol, plugin, WHERE)
    return str(caught.value)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "expected"), [("build", "build(inputs, options)"), ("USES", "USES")]
)
def test_a_missing_member_is_named_with_its_signature(missing: str, expected: str) -> None:
    message = refusal(Classifier, classifier(**{missing: None}))
    assert message == f"{WHERE}: {missing}: is missing; expected: {expected}"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda inputs: None, "too many positional arguments"),
        (lambda: None, "too many positional arguments"),
        (lambda inputs, options, more: None, "missing a required argument: 'more'"),
        (lambda inputs, options, *, more: None, "missing a required argument: 'more'"),
    ],
)
def test_a_signature_that_the_harness_cannot_call(function: Any, reason: str) -> None:
    message = refusal(Classifier, classifier(build=function))
    assert message == (
        f"{WHERE}: build: cannot be called so ({reason}); expected: build(inputs, options)"
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: None,
        lambda *arguments: None,
        lambda inputs, options, more=1: None,
        dict,
    ],
)
def test_whatever_can_be_called_so_conforms(function: Any) -> None:
    assert conform(Classifier, classifier(build=function), WHERE).build is function


def test_optional_members_are_checked_where_they_are_defined() -> None:
    message = refusal(Classifier, classifier(check=lambda cell: None))
    assert message.startswith(f"{WHERE}: check: cannot be called so")
    assert message.endswith("expected: check(cell, facts)")


def test_arguments_by_keyword_are_part_of_the_signature() -> None:
    assert describe("put_rows", dict(members(Head))["put_rows"]) == (
        "put_rows(classes_U, w_UD, trained)"
    )
    head = SimpleNamespace(
        whole_batch=False, begin_epoch=len, loss=build, logits=len, pretrained=list, new=list,
        weight=list, put_rows=build,
    )  # fmt: skip
    assert "put_rows: cannot be called so" in refusal(Head, head)


def test_a_member_that_cannot_be_called() -> None:
    message = refusal(Classifier, classifier(build="text"))
    assert message == (
        f"{WHERE}: build: is 'text', which cannot be called; expected: build(inputs, options)"
    )


class NotAClassifiersOptions(BaseModel):
    """Without `scale` and `normalise`, which every classifier has."""


@pytest.mark.parametrize("options", [NotAClassifiersOptions, ClassifierOptions(), {"scale": 1}])
def test_options_of_a_wrong_class(options: Any) -> None:
    message = refusal(Classifier, classifier(Options=options))
    assert message == (
        f"{WHERE}: Options: is not a class that extends "
        "harness.core.protocols.classifier.ClassifierOptions; expected: Options"
    )


def test_options_of_other_kinds_extend_any_model() -> None:
    prompt = SimpleNamespace(texts=build, Options=NotAClassifiersOptions)
    assert conform(Prompt, prompt, WHERE).Options is NotAClassifiersOptions
    assert "pydantic.main.BaseModel" in refusal(Prompt, SimpleNamespace(texts=build, Options=dict))


@pytest.mark.parametrize("uses", ["text", 3, ("text", 1), {"text": 1}])
def test_names_are_a_sequence_of_texts(uses: object) -> None:
    """A text alone would be read letter by letter."""
    problem = refusal(Classifier, classifier(USES=uses))
    assert problem == f"{WHERE}: USES: is {uses!r}, not a tuple of names; expected: USES"


@pytest.mark.parametrize(("place", "needed"), [("embedding", "build"), ("backbone", "insert")])
def test_members_that_a_choice_requires(place: str, needed: str) -> None:
    other = {"build": "insert", "insert": "build"}[needed]
    takes = {"build": build, "insert": lambda module, inputs, options: []}
    message = refusal(Temporal, SimpleNamespace(PLACE=place, **{other: takes[other]}))
    signature = {"build": "build(inputs, options)", "insert": "insert(module, inputs, options)"}
    assert message == (
        f"{WHERE}: {needed}: is missing, as PLACE is '{place}'; expected: {signature[needed]}"
    )
    module = SimpleNamespace(PLACE=place, **{needed: takes[needed]})
    assert place == conform(Temporal, module, WHERE).PLACE


def test_what_an_encoder_reads_is_a_sequence_of_texts() -> None:
    problem = refusal(EncoderPlugin, SimpleNamespace(READS=3, facts=lambda argument, options: 0))
    assert "READS: is 3, not a tuple of names" in problem


def test_members_that_a_list_of_choices_requires() -> None:
    def facts(argument: object, options: object) -> None: ...

    both = SimpleNamespace(facts=facts, build_image=build)
    assert "build_text: is missing, as READS is 'texts'" in refusal(EncoderPlugin, both)
    images = SimpleNamespace(facts=facts, build_image=build, READS=("pictures",))
    assert conform(EncoderPlugin, images, WHERE).TAKES_CONTEXT is False


# --- defaults ------------------------------------------------------------------------------------


def test_an_object_with_every_member_is_itself() -> None:
    whole = classifier(
        Options=ClassifierOptions,
        check=lambda cell, facts: None,
        reads_validation=lambda given: False,
        prompt=lambda given: None,
    )
    assert conform(Classifier, whole, WHERE) is whole


def test_defaults_are_filled_in_and_the_rest_is_handed_on() -> None:
    least = classifier()
    complete: Any = conform(Classifier, least, WHERE)
    assert complete is not least
    assert complete.Options is ClassifierOptions
    assert complete.check(CELL, FACTS) is None
    assert complete.build is build
    assert complete.USES == ("text",)
    measure = SimpleNamespace(TITLE="T", UNIT="", BETTER="lower", compute=lambda p, y, g: 0.5)
    assert conform(Measure, measure, WHERE).Options is NoOptions


def test_a_default_sees_the_members_of_the_object() -> None:
    """`evaluation_texts` of a prompt is `texts` unless the prompt says otherwise."""
    prompt: Any = conform(
        Prompt, SimpleNamespace(texts=lambda names, options: [[f"a {n}"] for n in names]), WHERE
    )
    assert prompt.evaluation_texts(["cat"], None) == [["a cat"]]
    assert prompt.TRAINED is False
    assert prompt.averaging(None) == "normalised"


class Toy:
    """The least that a dataset may define. Its classes change while it is used."""

    train = test = None
    manifest = "toy"

    def __init__(self) -> None:
        self.opened: list[str] = []

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.opened)

    def part(self, name: str) -> range:
        return range(len(self.opened))

    def image(self, item: str) -> str:
        return f"picture {item}"


def test_members_are_looked_up_at_every_use() -> None:
    toy = Toy()
    data: Any = conform(Dataset, toy, WHERE)
    toy.opened.append("cat")
    assert data.classes == ("cat",)
    toy.image = lambda item: "another"  # type: ignore[method-assign]
    assert data.image("x") == "another"
    assert data.read_whole("x") == "another", "a default calls the object's own member"


def test_properties_are_defaults_and_are_not_run_by_the_check() -> None:
    class Broken(Toy):
        @property
        def classes(self) -> tuple[str, ...]:
            raise AssertionError("read while it was checked")

    assert conform(Dataset, Broken(), WHERE).kind == "pictures"
    assert conform(Dataset, Toy(), WHERE).notes == ()
    assert conform(Dataset, Toy(), WHERE).fingerprint("x") == "toy|x"


def test_members_that_an_object_finds_itself() -> None:
    """An object with `__getattr__`, such as a proxy."""

    class Proxy:
        def __getattr__(self, name: str) -> Any:
            return getattr(toy, name)

    toy = Toy()
    toy.opened.append("dog")
    assert conform(Dataset, Proxy(), WHERE).classes == ("dog",)


def test_a_completed_object_is_copied_with_what_it_holds() -> None:
    toy = Toy()
    data: Any = conform(Dataset, toy, WHERE)
    copied = copy.deepcopy(data)
    toy.opened.append("cat")
    assert data.classes == ("cat",)
    assert copied.classes == ()
    assert copied.read_whole("x") == "picture x"


# --- members -------------------------------------------------------------------------------------


def test_members_are_those_of_the_protocol_and_of_what_it_extends() -> None:
    assert list(dict(members(Classifier))) == [
        "Options", "check", "USES", "reads_validation", "prompt", "build",
    ]  # fmt: skip
    assert "REQUIRED_FOR" not in dict(members(EncoderPlugin))
    assert {"whole_batch", "to"} <= set(dict(members(Head)))


def test_a_plugin_without_options_refuses_every_option() -> None:
    with pytest.raises(ValidationError, match="scale"):
        NoOptions.model_validate({"scale": 1})
