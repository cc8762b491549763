"""Files of published numbers: complete, with their sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import BadInput, UnknownName
from harness.report.model import published
from harness.report.model.published import names, read_published


def test_every_table_of_the_paper_that_is_promised_is_there() -> None:
    numbers = read_published("text4vis")
    tables = {n.table for n in numbers}
    assert tables == {f"Table {k}" for k in (*range(1, 13), "A.1", "A.2")} | {"Figure 3"}
    counts = {t: sum(n.table == t for n in numbers) for t in tables}
    assert counts["Table 5"] == 48
    assert counts["Table 8"] == 12
    assert counts["Table 6"] == 15


def test_every_number_says_where_it_comes_from() -> None:
    for name in names():
        for number in read_published(name):
            assert number.source
            assert number.protocol
            assert number.deviation
            assert number.value >= 0


def test_few_shot_takes_its_numbers_from_the_paper() -> None:
    paper = set(read_published("text4vis"))
    few_shot = read_published("few_shot")
    assert {n.table for n in few_shot} == {"Table 1", "Table 8", "Table 10"}
    assert set(few_shot) <= paper


def test_an_unknown_file_has_a_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'text4vis'"):
        read_published("text4viz")


def test_a_file_of_another_shape_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "odd.yaml").write_text("tables: [1, 2]", encoding="utf-8")
    monkeypatch.setattr(published.resources, "files", lambda _: tmp_path)
    with pytest.raises(BadInput, match=r"odd\.yaml does not have the expected shape"):
        read_published("odd")
