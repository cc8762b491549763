"""A sequential rule as Records and settle.json keep it."""

from __future__ import annotations

import json

import pytest

from harness.core.looks import LookRule, rule_from

RULE = LookRule("a rule", (0, 1, 2, 3), (2, 4), (0.01, 0.04))


def test_a_rule_survives_json_beside_other_keys() -> None:
    data = json.loads(json.dumps(RULE.as_json() | {"look": 1}))
    assert rule_from(data) == RULE


def test_what_is_no_rule_is_refused() -> None:
    with pytest.raises(KeyError):
        rule_from({"name": "x"})
    with pytest.raises(ValueError, match="no rule"):
        rule_from(RULE.as_json() | {"sizes": [4, 2]})
