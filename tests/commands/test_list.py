"""`list`: every plugin and task with one line about it, as text and as JSON."""

from __future__ import annotations

import json

import pytest
from conftest import Call

from harness.core import registry
from harness.task import library


def test_every_plugin_and_task_is_listed(cli: Call) -> None:
    ended = cli("list")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    for kind in registry.KINDS:
        start = lines.index(f"{kind}s") + 1
        known = sorted([*registry.names(kind), *registry.presets(kind)])
        rows = lines[start : start + len(known)]
        assert [row.split()[0] for row in rows] == known
    start = lines.index("tasks") + 1
    assert [line.split()[0] for line in lines[start:]] == list(library.tasks())


@pytest.mark.parametrize("kind", ["classifier", "classifiers"])
def test_one_kind(kind: str, cli: Call) -> None:
    ended = cli("list", kind)
    head, *rows = ended.out.splitlines()
    assert head == "classifier"
    assert [row.split()[0] for row in rows] == registry.names("classifier")


def test_json(cli: Call) -> None:
    listings = json.loads(cli("list", "--json").out)
    assert list(listings) == [*registry.KINDS, "task"]
    assert listings["classifier"]["text"].startswith("Embeddings of the class texts")
    assert listings["task"]["few_shot"].endswith("?")
    assert all(about for kind in listings.values() for about in kind.values())
    assert set(json.loads(cli("list", "prompt", "--json").out)) == {"prompt"}


def test_a_kind_that_there_is_not(cli: Call) -> None:
    ended = cli("list", "clasifiers")
    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean 'classifier'" in ended.errors()[0]
