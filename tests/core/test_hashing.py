"""One text for one value: what keys and addresses are made of must never change."""

from __future__ import annotations

import hashlib

from harness.core.hashing import canonical, digest, digest_text


def test_equal_values_have_one_text() -> None:
    assert canonical({"b": (1, 2.5), "a": [None, True]}) == '{"a":[null,true],"b":[1,2.5]}'
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})
    assert canonical("größe") == '"größe"'
    assert canonical([1e-6, 1, 1.0]) == "[1e-06,1,1.0]", "1 and 1.0 differ"


def test_a_digest_is_the_start_of_a_sha256() -> None:
    whole = hashlib.sha256(b'{"a":1}').hexdigest()
    assert digest({"a": 1}) == whole[:16]
    assert digest({"a": 1}, 64) == digest_text('{"a":1}', 64) == whole
