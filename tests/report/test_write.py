from __future__ import annotations

import csv
import io
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell
from harness.core.errors import UnknownName
from harness.report.model.results import Result, Study
from harness.report.model.table import build_table
from harness.report.render import csv_files
from harness.report.render.markdown import END_OF_BODY
from harness.report.render.write import write_report
from harness.task.grid import AXES
from harness.task.read import validate

from .studies import few_shot_accuracy, make_study, no_lda_at_one, task_of


def few_shot(**options: Any) -> Study:
    return make_study(
        task_of(**options.pop("task", {})), few_shot_accuracy, infeasible=no_lda_at_one,
        **options,
    )  # fmt: skip


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    study, start = few_shot(weights=True), time.process_time()
    command = "python -m harness grid tasks/few_shot.yaml"
    paths = write_report(study, tmp_path_factory.mktemp("reports"), command)
    assert time.process_time() - start < 5, "a report is quick, figures included"
    return paths


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same science on another machine, at another speed, by another command."""
    study = few_shot(weights=True, host="b", wall=77.0)
    return write_report(study, tmp_path_factory.mktemp("elsewhere"), "another command")


@pytest.fixture(scope="module")
def page(written: list[Path]) -> str:
    return written[0].read_text(encoding="utf-8")


def test_every_file_is_written_the_page_first(written: list[Path]) -> None:
    folder = written[0].parent
    assert [str(p.relative_to(folder)) for p in written] == [
        "few_shot.md", "few_shot.html", "few_shot.tex", "few_shot.csv", "few_shot_contrasts.csv",
        "few_shot/accuracy.png", "few_shot/differences.png", "few_shot/correlation.png",
    ]  # fmt: skip
    assert all(p.stat().st_size > 0 for p in written)
    assert not list(folder.rglob("*.tmp"))


def test_sections_are_in_order(page: str) -> None:
    titles = re.findall(r"^##? (.*)$", page, re.MULTILINE)
    assert titles == [
        "few_shot", "Leaderboard", "Against random", "Further measures", "Accuracy and cost",
        "Published numbers", "What is missing", "Method", "How to read this", "Cost and provenance",
    ]  # fmt: skip


def test_the_answer_speaks_of_differences(page: str) -> None:
    answer = page.split("**Answer.**")[1].split("## ", maxsplit=1)[0]
    assert re.search(
        r"At 1 shot, prototype beats random by [\d.]+ points \[.* and text beats it", answer
    )
    assert "could not be told apart" in answer
    assert "equal" not in answer
    undecided = re.findall(r"([^;]*) could not be told apart", answer)
    assert all(re.search(r"orthogonal \([+-]?[\d.]+, adjusted p = [\d.]+\)", u) for u in undecided)


def test_the_caption_says_what_the_numbers_are(page: str) -> None:
    leaderboard = section(page, "Leaderboard")
    for part in ("E2", "S = 5 seeds", "N = 200 test items", "G = 100 groups", "C = 100 classes",
                 "two-way random effects", "m = 21 to 28"):  # fmt: skip
        assert part in leaderboard
    assert "100 classes are drawn with their items" in leaderboard
    assert "for these C" not in page
    assert "(G = C): nothing is said of these classes alone" in page
    assert "chance" not in leaderboard
    assert "| lda | – |" in leaderboard
    assert "](few_shot/accuracy.png)" in leaderboard


def test_where_groups_are_no_classes_the_classes_are_fixed(tmp_path: Path) -> None:
    study = few_shot()
    tests = {k: replace(t, groups=np.arange(len(t.items)) // 2) for k, t in study.tests.items()}
    text = write_report(replace(study, tests=tests), tmp_path, "x")[0].read_text("utf-8")
    assert "G = 100 groups, for these C = 100 classes" in text
    assert "new test items of the same kind (estimand E2)" in text
    assert "drawn with their items" not in text


def test_zero_shot_says_what_chance_is(tmp_path: Path) -> None:
    task = {"name": "z", "question": "", "dataset": "emoji", "regime": "zero_shot",
            "classes": {"pick": 30, "from": "unseen"}, "encoder": "embedded/lit-emoji",
            "classifier": ["text", "random"]}  # fmt: skip
    study = make_study(validate(task, "z"), lambda _: 0.4, n_classes=30)
    text = write_report(study, tmp_path, "x")[0].read_text("utf-8")
    assert "(chance, 100/C: 3.3 points)" in section(text, "Leaderboard")
    assert "Search budget: none (nothing was trained)" in text


@pytest.mark.parametrize(("family", "said"), [
    ("reference", "each row with random (m = 6 to 7), so they may tell two rows apart"),
    ("table", "the pairs of all columns together (m = 77), so they may leave two rows undecided"),
])  # fmt: skip
def test_two_families_on_one_page_are_explained(tmp_path: Path, family: str, said: str) -> None:
    report = {"rows": "classifier", "reference": "random", "family": family}
    text = write_report(few_shot(task={"report": report}), tmp_path, "x")[0].read_text("utf-8")
    assert "compare all pairs of a column (m = 21 to 28); the answer and the contrasts" in text
    assert said in text


def test_one_family_needs_no_explanation(page: str) -> None:
    assert "Bold and rank intervals compare" not in page
    assert page.count("ntervals are not adjusted") == 3  # the figure, the table and the glossary


def test_a_search_says_what_it_chose_and_for_whom(tmp_path: Path) -> None:
    """No searched key has a value of its own: lr is 3e-4 in the recipe and was never that."""
    task = {"search": {"recipe.lr": [1e-3, 1e-2], "recipe.decay": ["constant", "cosine"]},
            "val": 2, "selection": "val", "classifier": ["text", "random"], "shots": [2, 4],
            "include": [{"paradigm": "vision_only", "tuning": "none"}]}  # fmt: skip
    study = few_shot(task=task)

    def searched(result: Result) -> Result:
        cell, record = result.cell, result.record
        assert record is not None
        if cell.search is None:
            return result
        chosen = {"lr": 1e-2 if cell.seed == 0 else 1e-3, "decay": "constant"}
        return replace(result, record=replace(record, diagnostics={"chosen": chosen}))

    study = replace(study, results=tuple(map(searched, study.results)))
    text = write_report(study, tmp_path, "x")[0].read_text("utf-8")
    method = section(text, "Method")
    assert "Search budget: 4 configurations a row, the same for every row that is trained" in method
    assert "2 validation samples of every class" in method
    assert "none for vision_only (nothing is trained)" in method
    recipe = re.search(r"- Recipe: .*", method)
    assert recipe is not None
    assert " lr 0" not in recipe[0]
    assert recipe[0].endswith("; searched: decay, lr")
    for row in ("text", "random"):
        chosen = "lr 0.001, decay constant (8 of 10); lr 0.01, decay constant (2 of 10)"
        assert f"    - {row}: {chosen}" in method
    rows = list(csv.DictReader(io.StringIO(csv_files.cells_csv(study))))
    assert rows[0]["chosen"] == '{"decay":"constant","lr":0.01}'
    assert {r["chosen"] for r in rows if r["paradigm"] == "vision_only"} == {""}


def test_the_ledger_stands_beside_the_accuracy(page: str) -> None:
    """By construction in the body; seconds and memory, which depend on the machine, below it."""
    line = next(
        line for line in section(page, "Accuracy and cost").splitlines() if "| text |" in line
    )
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[0] == "text"
    assert len(cells[1].split(" / ")) == 3  # one top-1 a column
    assert cells[2:] == [
        "491,904", "86 M", "57.3 M", "390 M", "380 M", "1", "3.3", "0.5",
    ]  # fmt: skip
    below = section(page, "Cost and provenance")
    assert "| text | 15 | 15 | 15.0 | 7.5 | 1 |" in below


def test_reasons_stand_under_the_table(page: str) -> None:
    missing = section(page, "What is missing")
    assert "lda, 1 shot: not feasible: lda needs 2 samples a class, shots is 1" in missing
    assert "Support sets do not vary." in missing


def test_tables_have_as_many_cells_as_their_header(page: str) -> None:
    widths: list[int] = []
    for line in page.splitlines():
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
            assert widths[-1] == widths[0]
        else:
            widths = []


def test_the_body_is_the_same_whatever_the_machine(page: str, elsewhere: list[Path]) -> None:
    text = elsewhere[0].read_text(encoding="utf-8")
    assert text.split(END_OF_BODY)[0] == page.split(END_OF_BODY, maxsplit=1)[0]
    assert text.split(END_OF_BODY)[1] != page.split(END_OF_BODY)[1]
    hashes = [re.search(r"science: `(\w+)`", t) for t in (text, page)]
    assert hashes[0] is not None
    assert hashes[1] is not None
    assert hashes[0][1] == hashes[1][1]


def test_pictures_are_the_same_bytes(written: list[Path], elsewhere: list[Path]) -> None:
    pictures = [p for p in written if p.suffix == ".png"]
    assert len(pictures) == 3
    for path in pictures:
        twin = elsewhere[0].parent / "few_shot" / path.name
        assert twin.read_bytes() == path.read_bytes()


def test_another_result_is_another_hash(tmp_path: Path, page: str) -> None:
    study = make_study(task_of(), lambda c: few_shot_accuracy(c) - 0.1, infeasible=no_lda_at_one)
    text = write_report(study, tmp_path, "x")[0].read_text(encoding="utf-8")
    assert text.split("science: `")[1][:64] != page.split("science: `")[1][:64]


def test_published_numbers_stand_apart(page: str, written: list[Path]) -> None:
    published = section(page, "Published numbers")
    assert "Textual encoder of CLIP (imported) | 81.52 |" in published
    assert "Random normal matrix (imported) | 59.30 |" in published
    assert "(imported)" not in page.replace(published, "")
    for path in written:
        if path.suffix == ".csv":
            assert "CLIP" not in path.read_text(encoding="utf-8")


def test_an_unknown_published_file_has_a_nearest(tmp_path: Path) -> None:
    report = {"rows": "classifier", "published": ["few_shots"]}
    study = make_study(task_of(report=report), few_shot_accuracy)
    with pytest.raises(UnknownName, match="Did you mean 'few_shot'"):
        write_report(study, tmp_path, "x")
    assert not list(tmp_path.iterdir())


def test_the_html_stands_alone(written: list[Path]) -> None:
    html = written[1].read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == 3
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "<table>" in html
    assert "end of body" not in html
    assert "\\[" not in html


def test_text_from_outside_stays_text(tmp_path: Path) -> None:
    question = "Is <script>alert(1)</script> | *bold* a_b `x`?"
    study = make_study(task_of(question=question, shots=1), few_shot_accuracy)
    paths = write_report(study, tmp_path, "x`y")
    html = paths[1].read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | *bold* a_b `x`?" in html


def test_the_tabular_is_booktabs(written: list[Path]) -> None:
    tex = written[2].read_text(encoding="utf-8")
    for part in (r"\begin{tabular}{lrrr}", r"\toprule", r"\midrule", r"\bottomrule",
                 r"vision\_only", r"\textbf{"):  # fmt: skip
        assert part in tex
    assert "lda & -- &" in tex


def test_a_row_a_cell() -> None:
    def status(cell: Cell) -> str:
        if cell.classifier is not None and cell.classifier.name == "random":
            return {0: "missing", 1: "failed"}.get(cell.seed or 0, "done")
        return "done"

    study = few_shot(status=status)
    rows = list(csv.DictReader(io.StringIO(csv_files.cells_csv(study))))
    assert list(rows[0]) == [
        *AXES, "selection", "seed", "status", "top1", "top5", "mean_class", "n", "seconds",
        "gpu_seconds", "chosen", "key",
    ]  # fmt: skip
    assert len(rows) == len(study.results) + len(study.infeasible) == 120
    assert {r["status"] for r in rows} == {"done", "missing", "failed", "infeasible"}
    done = next(r for r in rows if r["status"] == "done")
    assert 0 < float(done["top1"]) < 1
    assert (done["classifier"], done["shots"], done["n"]) == ("text", "1", "200")
    assert {r["chosen"] for r in rows} == {""}
    missing = next(r for r in rows if r["status"] == "missing")
    assert missing["top1"] == ""
    assert missing["key"]


def test_a_row_a_contrast() -> None:
    table = build_table(few_shot())
    rows = list(csv.DictReader(io.StringIO(csv_files.contrasts_csv(table))))
    assert list(rows[0]) == [
        "a", "b", *(a for a in AXES if a != "classifier"), "difference", "low", "high", "p",
        "p_adjusted", "seeds", "items", "groups", "test", "smallest_detectable", "family",
    ]  # fmt: skip
    against = [i for i, r in enumerate(rows) if r["b"] == "random"]
    assert against == list(range(20))  # 6, 7 and 7 rows; lda is not feasible at 1 shot
    assert len(rows) == 21 + 28 + 28
    assert len({(r["a"], r["b"], r["shots"]) for r in rows}) == len(rows)
    first = rows[0]
    assert (first["a"], first["b"], first["shots"]) == ("text", "random", "1")
    assert float(first["difference"]) == table.against[0].contrast.difference
    vision = next(r for r in rows if r["a"] == "vision_only")
    assert vision["paradigm"] == ""  # the two rows differ on it


def test_a_p_that_must_not_be_given_is_empty() -> None:
    table = build_table(few_shot(task={"seeds": 3}))
    rows = list(csv.DictReader(io.StringIO(csv_files.contrasts_csv(table))))
    assert {(r["p"], r["p_adjusted"]) for r in rows} == {("", "")}
    assert all(r["difference"] for r in rows)


def test_the_reference_family_comes_first_and_is_named() -> None:
    report = {"rows": "classifier", "reference": "random", "family": "reference"}
    table = build_table(few_shot(task={"report": report}))
    rows = list(csv.DictReader(io.StringIO(csv_files.contrasts_csv(table))))
    families = [r["family"] for r in rows]
    assert families == ["reference"] * 20 + ["column"] * 57


def test_a_report_of_every_status(tmp_path: Path) -> None:
    def status(cell: Cell) -> str:
        if cell.classifier is None or cell.shots != 2:
            return "done"
        return {"text": "missing", "random": "failed"}.get(cell.classifier.name, "done")

    study = few_shot(status=status)
    text = write_report(study, tmp_path, "x")[0].read_text(encoding="utf-8")
    assert "missing (0 of 5 done)" in text
    assert "failed (0 of 5 done)" in text
    assert (
        "random, 2 shots: failed (0 of 5 seeds done): CellError: the loss is not \\| finite" in text
    )
    assert "2 of 24 entries are incomplete" in text
    nothing = replace(study, results=tuple(replace(r, record=None) for r in study.results))
    text = write_report(nothing, tmp_path, "x")[0].read_text(encoding="utf-8")
    assert "Nothing is done yet." in text


def test_without_a_reference_all_pairs_are_shown(tmp_path: Path) -> None:
    study = few_shot(task={"report": {"rows": "classifier"}, "shots": 4})
    text = write_report(study, tmp_path, "x")[0].read_text(encoding="utf-8")
    assert "## All pairs" in text
    assert "text minus random" in text
    assert "has the highest mean" in text


def test_draws_of_classes_have_their_own_section(tmp_path: Path) -> None:
    task = {"class_seed": [0, 1, 2, 3], "classifier": ["text", "random"], "include": []}
    text = write_report(few_shot(task=task), tmp_path, "x")[0].read_text(encoding="utf-8")
    draws = section(text, "Over class draws")
    assert "| 1 shot | text minus random |" in draws
    assert "4 of 4" in draws
    assert "mean over 4 class draws" in text


def test_mixed_commits_and_uncommitted_changes_are_said(tmp_path: Path) -> None:
    study = few_shot()
    first, *rest = study.results
    assert first.record is not None
    environment = {**first.record.environment, "commit": "other", "dirty": True}
    mixed = replace(first, record=replace(first.record, environment=environment))
    text = write_report(replace(study, results=(mixed, *rest)), tmp_path, "x")[0].read_text("utf-8")
    body, tail = text.split(END_OF_BODY)
    assert "commit" not in body.lower()
    assert "Mixed commits" in tail
    assert "Uncommitted changes" in tail


def test_draws_without_a_reference_are_told_apart(tmp_path: Path) -> None:
    task = {"class_seed": [0, 1], "classifier": ["text", "random"], "include": [], "shots": 1,
            "report": {"rows": "classifier"}}  # fmt: skip
    text = write_report(few_shot(task=task), tmp_path, "x")[0].read_text(encoding="utf-8")
    assert "| 1 shot, draw 0 | text minus random |" in text
    assert "At 1 shot, draw 1, text has the highest mean" in text


def test_many_rows_stay_readable(tmp_path: Path) -> None:
    recipe = {"lr": [1e-4, 3e-4, 1e-3, 3e-3], "decay": ["constant", "cosine"]}
    report = {"rows": ["classifier", "recipe.lr", "recipe.decay"], "notes": ["Choose | with care."]}
    task = {"classifier": ["text", "random"], "recipe": recipe, "include": [], "report": report,
            "shots": [1, 4]}  # fmt: skip
    text = write_report(few_shot(task=task), tmp_path, "x")[0].read_text(encoding="utf-8")
    assert "30 of 240 pairs" in text
    assert "- Choose \\| with care." in section(text, "Leaderboard")
