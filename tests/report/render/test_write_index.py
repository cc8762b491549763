"""The index as a file: written with every report, never over someone else's, safe to race."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from harness.report.render import write
from harness.report.render.index import MARKER
from harness.report.render.markdown import END_OF_BODY
from harness.report.render.write import not_ours, write_index


def put(folder: Path, name: str) -> None:
    text = f"# {name}\n\nWhy {name}?\n\n**Answer.** {name} wins. More.\n\n{END_OF_BODY}\n"
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def test_the_bytes_do_not_depend_on_the_order_of_reports(tmp_path: Path) -> None:
    found = []
    for order in (["b", "a", "c"], ["c", "b", "a"]):
        folder = tmp_path / order[0]
        folder.mkdir()
        for name in order:
            put(folder, name)
            write_index(folder)
        found.append((folder / "README.md").read_bytes())
    assert found[0] == found[1]
    assert b"| [a](a.md) | Why a? | a wins. |  |" in found[0]
    write_index(tmp_path / "b")
    assert (tmp_path / "b" / "README.md").read_bytes() == found[0], "it is no page of itself"
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == [
        "README.md", "a.md", "b.md", "c.md",
    ]  # fmt: skip


def test_files_of_someone_else_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "notes.md").write_text("# Notes\n")
    (tmp_path / "latin.md").write_bytes(b"# \xff\n")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "dangling.md").symlink_to("nowhere")
    write_index(tmp_path)
    assert (tmp_path / "README.md").read_text().count(".md)") == 1


@pytest.mark.parametrize("content", [b"# My results\n", b"", b"\xff\xfe", None])
def test_a_readme_of_someone_else_is_never_replaced(tmp_path: Path, content: bytes | None) -> None:
    put(tmp_path, "a")
    path = tmp_path / "README.md"
    path.mkdir() if content is None else path.write_bytes(content)
    write_index(tmp_path)
    assert path.is_dir() if content is None else path.read_bytes() == content
    assert not_ours(tmp_path) == (
        f"{path} is not an index that the harness wrote, so it is left as it is"
    )


def test_an_index_of_the_harness_is_replaced(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "README.md").write_bytes(f"{MARKER}\r\nstale".encode())
    write_index(tmp_path)
    assert "stale" not in (tmp_path / "README.md").read_text()
    assert not_ours(tmp_path) is None


def test_a_page_that_comes_meanwhile_is_in_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes its page, and its index, after this one has read the folder."""
    put(tmp_path, "a")
    real = write.write_files

    def late(contents: dict[Path, bytes]) -> None:
        monkeypatch.setattr(write, "write_files", real)
        put(tmp_path, "b")
        write_index(tmp_path)
        real(contents)

    monkeypatch.setattr(write, "write_files", late)
    write_index(tmp_path)
    assert "[b](b.md)" in (tmp_path / "README.md").read_text()


PROGRAM = """
import sys
from pathlib import Path
from harness.report.render.markdown import END_OF_BODY
from harness.report.render.write import write_files, write_index
folder, me = Path(sys.argv[1]), sys.argv[2]
for n in range(40):
    write_files({folder / f"{me}{n}.md": f"# {me}{n}\\n\\n{END_OF_BODY}\\n".encode()})
    write_index(folder)
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    running = [subprocess.Popen([*command, who], cwd=ROOT) for who in "ab"]
    assert [p.wait(timeout=120) for p in running] == [0, 0]
    written = (tmp_path / "README.md").read_bytes()
    assert written.count(b".md)") == 80
    write_index(tmp_path)
    assert (tmp_path / "README.md").read_bytes() == written
    assert not list(tmp_path.glob(".*"))


@pytest.mark.skipif(not (ROOT / "reports").is_dir(), reason="an installed package has no reports")
def test_the_index_in_the_repository_is_that_of_its_pages() -> None:
    """If this fails: python -c "from pathlib import Path; from harness.report.render.write import
    write_index; write_index(Path('reports'))".
    """
    folder = ROOT / "reports"
    assert write._index_of(folder) == (folder / "README.md").read_text("utf-8")
