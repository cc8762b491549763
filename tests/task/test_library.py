"""Tasks and recipes by name or by path."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UnknownName
from harness.task import library


def test_tasks_go_by_their_path_below_the_folder() -> None:
    known = library.tasks()
    assert {"few_shot", "paper/table01"} <= set(known)
    assert not any(name.startswith("recipes/") for name in known)
    assert set(library.recipes()) == {
        "lit_emoji", "lit_emoji_all", "lit_emoji_head", "text4vis",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["few_shot", "tasks/few_shot", "tasks/few_shot.yaml"])
def test_a_task_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert library.task_file(name) == library.tasks()["few_shot"]


def test_a_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few_shot").write_text("name: mine")
    assert library.task_file("few_shot") == Path("few_shot")


def test_an_unknown_task_has_a_nearest() -> None:
    with pytest.raises(UnknownName, match=r"^no task is called 'few_shoot'; .*mean 'few_shot'\?$"):
        library.task_file("few_shoot")
    with pytest.raises(UnknownName) as caught:
        library.task_file("x" * 5000)
    assert len(str(caught.value)) < 2000
