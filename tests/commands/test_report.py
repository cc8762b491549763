"""`report`: the files of a task's report from its Records; no cell runs."""

from __future__ import annotations

from pathlib import Path

from conftest import Call, WriteTask, body, records

FILES = ("tiny.md", "tiny.html", "tiny.tex", "tiny.csv", "tiny_contrasts.csv")


def test_the_report_is_that_of_the_grid(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    ended = cli("report", "tiny", "--reports", "again")
    assert (ended.code, ended.out, ended.err) == (0, "again/tiny.md\n", "")
    for name in FILES:
        assert (tmp_path / "again" / name).stat().st_size > 0
    assert body(tmp_path / "again" / "tiny.md") == body(tmp_path / "reports" / "tiny.md")
    rows = [(tmp_path / folder / "tiny.csv").read_bytes() for folder in ("again", "reports")]
    assert rows[0] == rows[1]


def test_missing_cells_are_exit_code_1_and_do_not_run(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    ended = cli("report", tiny())
    assert (ended.code, ended.out) == (1, "reports/tiny.md\n")
    assert ended.err.endswith("tiny.yaml: 2 cells are missing and 0 failed\n")
    assert len(records(tmp_path / "runs")) == 2
    assert "missing" in (tmp_path / "reports" / "tiny.md").read_text(encoding="utf-8")


def test_several_tasks_with_one_override(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    paths = [tiny(f"{name}.yaml", name=name) for name in ("one", "two")]
    assert cli("grid", paths[0], "seeds=1").code == 0
    ended = cli("report", paths[0], "seeds=1", paths[1])
    assert (ended.code, ended.out.split()) == (0, ["reports/one.md", "reports/two.md"])


def test_a_task_that_there_is_not(cli: Call, tmp_path: Path) -> None:
    ended = cli("report", "few_shoot")
    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean 'few_shot'" in ended.errors()[0]
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_written(tiny: WriteTask, cli: Call) -> None:
    ended = cli("report", tiny(), "--reports", "/dev/null/reports")
    assert (ended.code, ended.out) == (2, "")
    assert "/dev/null/reports" in ended.errors()[0]


def test_every_report_is_in_the_index(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    question = "Which start wins?"
    assert cli("grid", tiny("one.yaml", name="one", question=question), "seeds=1").code == 0
    index = tmp_path / "reports" / "README.md"
    assert f"| [one](one.md) | {question} | At 1 shot, " in index.read_text(encoding="utf-8")
    assert cli("report", tiny("two.yaml", name="two"), "seeds=1").code == 0
    text = index.read_text(encoding="utf-8")
    assert text.index("(one.md)") < text.index("(two.md)")
    assert 'src="two/accuracy.png"' in text


def test_a_readme_of_the_user_stays_and_is_named_once(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    readme = tmp_path / "reports" / "README.md"
    readme.write_text("# Mine\n")
    note = "note: reports/README.md is not an index that the harness wrote, so it is left as it is"
    grid = cli("grid", tiny(), "seeds=1")
    again = cli("report", tiny(), tiny("other.yaml", name="other"), "seeds=1")
    for ended in (grid, again):
        assert (ended.code, ended.err.count(note)) == (0, 1)
    assert readme.read_text() == "# Mine\n"


def test_the_variant_on_embedded_data_has_the_option_of_grid(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    """By its file, and by the name of the task, as it was run."""
    task = tiny(embedded={"relation": "same", "why": "few seeds", "replace": {"seeds": 1}})
    assert cli("grid", task, "--embedded").code == 0
    page = tmp_path / "reports" / "tiny_embedded.md"
    written = body(page)
    for name in (task, "tiny"):
        page.unlink()
        ended = cli("report", name, "--embedded")
        assert (ended.code, ended.out) == (0, "reports/tiny_embedded.md\n")
        assert body(page) == written
