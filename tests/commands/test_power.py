"""`power`: what the undecided pairs of a task need."""

from __future__ import annotations

import json

from conftest import Call, WriteTask


def test_pairs_are_planned_from_records(tiny: WriteTask, cli: Call) -> None:
    path = tiny(classifier=["text", "text_shuffled"])
    assert cli("grid", path).code == 0
    ended = cli("power", path, "--difference", "30", "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert (document["task"], document["family"], document["compared"]) == ("tiny", "column", 1)
    (need,) = document["undecided"]
    assert need["target"] == 0.3
    assert (need["seeds"], need["power"]) == (2, None)
    text = cli("power", path, "--difference", "30")
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith("tiny: 1 of 1 comparison undecided (family: column, m = 1;")
    assert "to find 30.0" in text.out or need["why"] in text.out


def test_bad_numbers_and_tasks_that_did_not_run(tiny: WriteTask, cli: Call) -> None:
    path = tiny()
    for words, said in (
        ((path,), "no two rows can be compared yet"),
        ((path, "--difference", "none"), "--difference none"),
        ((path, "--power", "1"), "below 1"),
        (("few_shoot",), "Did you mean 'few_shot'"),
    ):
        ended = cli("power", *words)
        assert (ended.code, ended.out) == (2, ""), words
        assert said in ended.err
