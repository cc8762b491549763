"""The files of a report."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UnknownName
from harness.report.render.write import write_report

from ..studies import MIXED, few_shot, few_shot_accuracy, make_results, task_of

SUFFIXES = (".md", ".html", ".tex", ".csv", "_contrasts.csv")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("reports")
    return write_report(few_shot(weights=True), folder, "python -m harness grid few_shot")


def test_every_file_is_written_the_page_first(written: list[Path]) -> None:
    folder = written[0].parent
    assert [str(p.relative_to(folder)) for p in written] == [
        "few_shot.md", "few_shot.html", "few_shot.tex", "few_shot.csv", "few_shot_contrasts.csv",
        "few_shot/accuracy.png", "few_shot/differences.png", "few_shot/correlation.png",
        "few_shot/classes.png",
    ]  # fmt: skip
    assert all(p.stat().st_size > 0 for p in written)
    assert not list(folder.rglob("*.tmp"))


def test_figures_are_the_same_bytes_whatever_the_machine(
    written: list[Path], tmp_path: Path
) -> None:
    write_report(few_shot(weights=True, host="b", wall=77.0), tmp_path, "another command")
    figures = [p for p in written if p.suffix == ".png"]
    assert len(figures) == 4
    for path in figures:
        assert (tmp_path / "few_shot" / path.name).read_bytes() == path.read_bytes()


def test_published_numbers_are_in_no_csv(written: list[Path]) -> None:
    assert "Textual encoder of CLIP (imported)" in written[0].read_text("utf-8")
    for path in written:
        if path.suffix == ".csv":
            assert "CLIP" not in path.read_text("utf-8")


def test_an_unknown_published_file_has_a_nearest_and_writes_nothing(tmp_path: Path) -> None:
    report = {"rows": "classifier", "published": ["few_shots"]}
    with pytest.raises(UnknownName, match="Did you mean 'few_shot'"):
        write_report(few_shot(task={"report": report}), tmp_path, "x")
    assert not list(tmp_path.iterdir())


def test_no_file_hides_a_choice_on_the_test_set(tmp_path: Path) -> None:
    results = make_results(task_of(**MIXED), few_shot_accuracy)
    written = write_report(results, tmp_path, "x")
    texts = {s: (tmp_path / f"few_shot{s}").read_text("utf-8") for s in SUFFIXES}
    body = texts[".html"].split("<body>")[1]
    assert body.index("<strong>Chosen on the test set.</strong>") < body.index("<table>")
    assert "*Chosen on the test set: " in texts[".md"]  # the captions
    assert "Chosen on the test set" in texts[".tex"]
    assert ",test," in texts[".csv"]
    assert "chosen on test" in texts["_contrasts.csv"]
    lines = [line for line in texts[".md"].splitlines() if line.startswith("| ")]
    named = [line for line in lines if "random" in line.split(" | ")[0]]
    assert named
    assert all("random · chosen on test" in line for line in named)
    assert sum(path.suffix == ".png" for path in written) == 3


def test_nothing_of_it_where_nothing_was_chosen_so(written: list[Path]) -> None:
    for path in written:
        if path.suffix != ".png":
            assert "test set.**" not in path.read_text("utf-8")
            assert "hosen on test" not in path.read_text("utf-8")
