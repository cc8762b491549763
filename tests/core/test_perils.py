"""The perils that a task may accept."""

from __future__ import annotations

from harness.core.perils import PERILS


def test_each_is_described_for_a_report_in_one_sentence_without_its_end() -> None:
    for name, text in PERILS.items():
        assert name.isidentifier()
        assert text[0].islower()
        assert not text.endswith(".")
