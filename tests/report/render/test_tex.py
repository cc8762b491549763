"""The leaderboard as LaTeX."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.core.cells import Cell
from harness.report.model.table import Table, build_table
from harness.report.render.leaderboard import leaderboard
from harness.report.render.tex import MOST_ROWS, latex
from harness.report.text.caption import caption

from ..studies import MIXED, few_shot, few_shot_accuracy, make_results, name_of, task_of
from .tex_reader import read

WEIRD = (
    "[first]", "*star", "a_b%&#$~^\\{}\"|<>", "é Δ – × · 中", "a--b",
    "templates(texts=('a picture of a {}.', 'a drawing of a {}.')) · vision_text · frozen",
    "", "plain",
)  # fmt: skip


def renamed(table: Table, names: dict[str, str]) -> Table:
    return replace(
        table,
        rows=tuple(names[row] for row in table.rows),
        entries={(names[row], c): e for (row, c), e in table.entries.items()},
        verdicts=replace(
            table.verdicts,
            bold=frozenset((names[row], c) for row, c in table.bold),
            ranks={(names[row], c): ranks for (row, c), ranks in table.ranks.items()},
        ),
    )


def test_it_is_a_float_with_caption_label_and_booktabs() -> None:
    table = build_table(few_shot())
    tex = latex(table)
    assert tex.startswith("% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n\n")
    (tabular,) = read(tex)
    assert tabular.columns == "lrrr"
    assert tabular.rows[0] == ["", "1 shot", "2 shots", "4 shots"]
    assert tex.count(r"\toprule") == tex.count(r"\midrule") == tex.count(r"\bottomrule") == 1
    assert r"\label{tab:few_shot}" in tex
    said = (
        caption(table)
        .replace("\\[", "[")
        .replace("\\]", "]")
        .replace("%", r"\%")
        .replace("_", r"\_")
    )
    assert rf"\caption{{{said}" in tex
    for part in ("E2", "S = 5 seeds", "N = 200 test items", "Holm's correction"):
        assert part in said


def test_means_intervals_ranks_and_bold_are_those_of_the_leaderboard() -> None:
    table = build_table(few_shot())
    (tabular,) = read(latex(table))
    lines = [line.strip("| ").split(" | ") for line in leaderboard(table).splitlines()[2:10]]
    for cells, line in zip(tabular.rows[1:], lines, strict=True):
        for tex, markdown in zip(cells[1:], line[1:], strict=True):
            back = re.sub(r"\\textbf\{(.*?)\}", r"**\1**", tex).replace("[", "\\[")
            back = re.sub(r"(\d)--(\d)", r"\1-\2", back.replace("]", "\\]")).replace("--", "–")
            assert back == markdown.strip()
    assert re.search(r"\\textbf\{[\d.]+\} \[[\d.]+, [\d.]+\] \(1(--\d)?\)", latex(table))


def test_entries_that_are_not_done_say_so() -> None:
    def status(cell: Cell) -> str:
        return "missing" if cell.shots == 2 and cell.seed == 1 else "done"

    (tabular,) = read(latex(build_table(few_shot(status=status))))
    shown = {cells[2] for cells in tabular.rows[1:]}
    assert shown == {r"\parbox[t]{11em}{\raggedright\strut missing (\allowbreak{}4 of 5 seeds done)\strut}"}  # fmt: skip  # noqa: E501


def test_a_choice_on_the_test_set_is_above_the_rows() -> None:
    tex = latex(build_table(make_results(task_of(**MIXED), few_shot_accuracy)))
    (tabular,) = read(tex)
    assert tabular.rows[0][0].startswith(
        r"\multicolumn{3}{l}{\textbf{Chosen on the test set: accuracies"
    )
    assert tex.count(r"random $\cdot$ chosen on test") == 1


def test_names_from_outside_break_no_table() -> None:
    table = build_table(few_shot())
    (tabular,) = read(latex(renamed(table, dict(zip(table.rows, WEIRD, strict=True)))))
    names = [cells[0] for cells in tabular.rows[1:]]
    assert names[:5] == [
        "{}[first]", "{}*star",
        r"a\_b\%\&\#\$\textasciitilde{}\textasciicircum{}\textbackslash{}\{\}''\textbar{}"
        r"\textless{}\textgreater{}",
        r"\'{e} $\Delta$ -- $\times$ $\cdot$ {[}U+4E2D]", "a-{}-b",
    ]  # fmt: skip
    assert names[5].startswith(r"\parbox[t]{15em}{\raggedright\strut templates(\allowbreak{}texts=")


def test_marks_of_rows_are_explained() -> None:
    def curve(cell: Cell) -> list[float]:
        return [*[1.0] * 6, 0.5 if name_of(cell) == "text" else 1.0]

    tex = latex(build_table(few_shot(curve=curve)))
    (tabular,) = read(tex)
    assert [cells[0] for cells in tabular.rows if "*" in cells[0]] == ["text *"]
    assert "* still falling: the training loss of text had not converged" in tex


@pytest.mark.parametrize(
    ("shots", "parts"), [(4, ["lrrrr"]), (5, ["lrrr", "lrr"]), (9, ["lrrr"] * 3)]
)
def test_many_columns_are_parts_below_each_other(shots: int, parts: list[str]) -> None:
    tex = latex(build_table(few_shot(task={"shots": list(range(1, shots + 1))}, n=40)))
    found = read(tex)
    assert [tabular.columns for tabular in found] == parts
    assert tex.count(r"\begin{table}") == 1
    titles = [title for tabular in found for title in tabular.rows[0][1:]]
    assert titles == [f"{k} shot{'s' * (k > 1)}" for k in range(1, shots + 1)]
    assert all(len(tabular.rows) == 9 for tabular in found), "every row in every part"


def test_what_does_not_fit_a_page_is_several_floats() -> None:
    table = build_table(few_shot())
    copies = [(f"{row} {n}", row) for n in range(8) for row in table.rows]
    entries = {(new, c): table.entries[old, c] for new, old in copies for c in table.columns}
    many = replace(table, rows=tuple(new for new, _ in copies), entries=entries)
    tex = latex(replace(many, verdicts=replace(table.verdicts, bold=frozenset(), ranks={})))
    found = read(tex)
    assert [len(tabular.rows) - 1 for tabular in found] == [MOST_ROWS, 64 - MOST_ROWS]
    assert tex.count(r"\begin{table}") == 2
    assert re.findall(r"\\label\{(.*?)\}", tex) == ["tab:few_shot", "tab:few_shot-2"]
    assert r"\caption{Table~\ref{tab:few_shot}, part 2 of 2.}" in tex
    assert "Part 1 of 2.}" in tex


def test_marks_of_the_reference_family_are_arrows() -> None:
    report = {"rows": "classifier", "reference": "random", "family": "reference"}
    accuracy = {"text": 0.8, "random": 0.5, "lda": 0.2}
    task = task_of(classifier=[*accuracy], include=[], shots=1, report=report)
    tex = latex(build_table(make_results(task, lambda c: accuracy[name_of(c)])))
    (tabular,) = read(tex)
    assert [row[1].split()[-1] for row in tabular.rows[1:]] == [
        r"$\uparrow$", tabular.rows[2][1].split()[-1], r"$\downarrow$",
    ]  # fmt: skip
    assert "arrow" not in tabular.rows[2][1]
