"""`describe`: a plugin's docstring and options, or the text of a task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from conftest import Call

from harness.core import registry


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_plugin(kind: str, cli: Call) -> None:
    for name in registry.names(kind):
        ended = cli("describe", kind, name)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith(registry.documentation(kind, name))
        for option, field in registry.load_kind(kind, name).Options.model_fields.items():
            shown = "  (" if field.is_required() else " = "
            assert f"\n  {option}{shown}" in ended.out


def test_options_have_their_default_and_type(cli: Call) -> None:
    assert "\noptions:\n" in cli("describe", "classifier", "lda").out
    assert "  shrinkage = None  (float | None)\n" in cli("describe", "classifier", "lda").out
    mixture = cli("describe", "classifier", "text_prototype").out
    assert "  weight = 0.5  (float | 'validation')\n" in mixture
    assert "  rank  (int, required)\n" in cli("describe", "classifier", "text_low_rank").out
    assert cli("describe", "measure", "top1").out.endswith("\nno options\n")


def test_the_family_of_an_encoder(cli: Call) -> None:
    family = cli("describe", "encoder", "embedded").out
    assert "lit-emoji" in family
    assert cli("describe", "encoder", "embedded/lit-emoji").out == family


def test_a_plugin_of_another_package(cli: Call, elsewhere: Callable[..., str]) -> None:
    name = elsewhere("mean", USES=("text",), build=lambda inputs, options: None)
    ended = cli("describe", "classifier", name)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("The plugin mean of a test.\n")


def test_a_task_is_printed_as_it_is_written(cli: Call) -> None:
    task = yaml.safe_load(cli("describe", "task", "few_shot").out)
    assert task["name"] == "few_shot"


@pytest.mark.parametrize(
    ("arguments", "close"),
    [
        (["encodr", "embedded"], "encoder"), (["classifier", "orthogonl"], "orthogonal"),
        (["task", "few_shoot"], "few_shot"),
    ],
)  # fmt: skip
def test_names_that_there_are_not(arguments: list[str], close: str, cli: Call) -> None:
    ended = cli("describe", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert f"Did you mean '{close}'" in ended.errors()[0]
