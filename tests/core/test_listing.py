"""Names as text."""

from __future__ import annotations

from harness.core.listing import paired, quoted


def test_five_names_are_given() -> None:
    assert quoted(["a", "b"]) == "'a', 'b'"
    assert quoted(list("abcdef")) == "'a', 'b', 'c', 'd', 'e', ..."


def test_five_pairs_are_given_and_the_rest_is_counted() -> None:
    assert paired([("a", "b")]) == "'a' and 'b'"
    assert paired([("a", "b")], count=2) == "'a' and 'b' (and 1 more pair)"
    assert paired([("a", "b")] * 7).endswith("'a' and 'b' (and 2 more pairs)")
    assert paired([("a", "b")] * 7).count(" and 'b'") == 5
