"""Which version of the paper's tasks was run: by content, and by commit where git knows it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.task.declared import FOLDERS, Declaration, declaration
from harness.task.library import tasks_folder


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """tasks/ with one file in each folder, in a repository with one commit."""
    folder = tmp_path / "tasks"
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
        (folder / name / "one.yaml").write_text(f"name: {name}\n")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "one")
    return folder


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def test_the_last_commit_that_changed_the_tasks_and_not_a_later_one(tasks: Path) -> None:
    first = git(tasks, "rev-parse", "HEAD")
    (tasks.parent / "README.md").write_text("later")
    later = commit(tasks.parent, "two")
    found = declaration(tasks)
    assert (found.commit, found.changed) == (first, False)
    assert found.short_commit == first[:10]
    assert found.commit != later
    assert found.committed == git(tasks, "log", "-1", "--format=%cI", first)


@pytest.mark.parametrize("name", [f"{folder}/one.yaml" for folder in FOLDERS])
def test_a_change_after_that_commit_is_seen(tasks: Path, name: str) -> None:
    before = declaration(tasks)
    (tasks / name).write_text("name: changed\n")
    after = declaration(tasks)
    assert (after.commit, after.changed) == (before.commit, True)
    assert after.content != before.content
    new = commit(tasks, "changed")
    assert declaration(tasks) == Declaration(
        after.content, new, git(tasks, "log", "-1", "--format=%cI"), changed=False
    )


def test_a_new_file_is_a_change(tasks: Path) -> None:
    (tasks / "paper" / "two.yaml").write_text("name: two\n")
    assert declaration(tasks).changed


def test_files_outside_git_have_a_content_alone(tmp_path: Path, tasks: Path) -> None:
    """As in an installed package, also of one in a folder that a repository ignores."""
    inside = declaration(tasks).content
    (tmp_path / ".git").rename(tmp_path / "elsewhere")
    assert declaration(tasks) == Declaration(inside)
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("tasks/\n")
    commit(tmp_path, "without tasks")
    assert declaration(tasks) == Declaration(inside)


def test_names_count_and_line_ends_do_not(tasks: Path) -> None:
    content = declaration(tasks).content
    one = tasks / "paper" / "one.yaml"
    one.write_bytes(one.read_bytes().replace(b"\n", b"\r\n"))
    assert declaration(tasks).content == content
    one.rename(tasks / "paper" / "two.yaml")
    assert declaration(tasks).content != content


def test_the_tasks_of_the_harness_are_those_that_are_declared() -> None:
    files = [p for name in FOLDERS for p in (tasks_folder() / name).glob("*.yaml")]
    assert len([p for p in files if p.parent.name == "paper"]) >= 18
    assert len(declaration().content) == 16
    assert declaration() == declaration(tasks_folder())
