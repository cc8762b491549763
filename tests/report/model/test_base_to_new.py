"""Base, new and H of a report, from its csv."""

from __future__ import annotations

import csv
import io
from statistics import fmean
from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.base_to_new import BaseToNew, base_to_new
from harness.report.model.harmonic import harmonic_table
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.render.base_to_new_table import base_to_new_table
from harness.report.render.csv_files import cells_csv, contrasts_csv
from harness.report.render.tex import latex

from ..studies import make_results, task_of

CHANGES: dict[str, Any] = {
    "shots": [1, 4], "classifier": ["text", "random"], "include": [], "seeds": 3,
    "train_classes": "half:0", "test_classes": ["base", "new"],
    "report": {"rows": "classifier"},
}  # fmt: skip


def accuracy(cell: Cell) -> float:
    shots, seed = cell.shots or 0, cell.seed or 0
    if cell.test_classes == "base":
        return 0.5 + 0.08 * shots + 0.05 * seed
    return 0.65 - 0.02 * shots - 0.05 * seed


def no_new_rows(cell: Cell) -> str | None:
    other = cell.classifier is not None and cell.classifier.name == "random"
    return "it has no rows" if other and cell.test_classes == "new" else None


def study(infeasible: Any = lambda _: None, status: Any = lambda _: "done", **task: Any) -> Results:
    return make_results(
        task_of(**CHANGES | task), accuracy, infeasible=infeasible, status=status,
        test_name=lambda c: f"{c.dataset} {c.test_classes}", n_classes=20,
    )  # fmt: skip


def lines(results: Results) -> list[BaseToNew]:
    return base_to_new(build_table(results))


def test_h_is_the_harmonic_mean_of_the_means_in_the_csv() -> None:
    results = study()
    rows = list(csv.DictReader(io.StringIO(cells_csv(results))))
    found = lines(results)
    assert [(x.row, x.column) for x in found] == [
        ("text", "1 shot"), ("text", "4 shots"), ("random", "1 shot"), ("random", "4 shots"),
    ]  # fmt: skip
    for line in found:
        base, new = (
            [
                float(r["top1"]) for r in rows
                if r["classifier"] == line.row and line.column.startswith(r["shots"])
                and r["test_classes"] == which
            ]
            for which in ("base", "new")
        )  # fmt: skip
        assert len(base) == len(new) == 3
        b, n = fmean(base), fmean(new)
        assert line.base == pytest.approx(b)
        assert line.new == pytest.approx(n)
        assert line.harmonic == pytest.approx(2 * b * n / (b + n))
        of_seeds = fmean(2 * x * y / (x + y) for x, y in zip(base, new, strict=True))
        assert line.harmonic != pytest.approx(of_seeds)  # the field takes that of the means
        assert line.classes == (20, 20)


def test_the_table() -> None:
    text = base_to_new_table(build_table(study(no_new_rows)))
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[:6]]
    assert found[0] == ["Row", "Column", "Base", "New", "H"]
    assert found[2][:2] == ["text", "1 shot"]
    b, n = (accuracy_of("text", 1, which) for which in ("base", "new"))
    assert float(found[2][2]) == pytest.approx(100 * b, abs=0.5)
    assert float(found[2][4]) == pytest.approx(200 * b * n / (b + n), abs=0.5)
    assert found[4][:2] == ["random", "1 shot"]
    assert found[4][3:] == ["–", "–"]
    assert "by the delta method" in text
    assert "Differences in H" not in text, "no two rows have an H"
    tex = latex(build_table(study(no_new_rows)))
    assert " & ".join(found[2]) + r" \\" in tex
    assert " & ".join(found[4]).replace("–", "--") + r" \\" in tex


def accuracy_of(row: str, shots: int, which: str) -> float:
    """The mean over seeds."""
    cells = [r.cell for r in study().results]
    return fmean(
        accuracy(c) for c in cells
        if str(c.classifier) == row and c.shots == shots and c.test_classes == which
    )  # fmt: skip


def test_a_missing_seed_leaves_no_h() -> None:
    gone = study(status=lambda c: "missing" if (c.seed, c.test_classes) == (1, "new") else "done")
    assert {line.harmonic for line in lines(gone)} == {None}
    assert {line.new_status for line in lines(gone)} == {"missing"}
    assert "missing | missing |" in base_to_new_table(build_table(gone))


def test_as_rows_instead_of_columns() -> None:
    found = lines(study(report={"rows": ["classifier", "test_classes"], "columns": "shots"}))
    assert [(x.row, x.column) for x in found][:2] == [("text", "1 shot"), ("text", "4 shots")]
    assert len(found) == 4
    assert all(x.harmonic for x in found)


def test_over_data_sets_it_is_the_h_of_the_means() -> None:
    results = study(dataset=["emoji", "emoji_people"], shots=1)
    table = build_table(results)
    found = [x for x in base_to_new(table) if x.datasets > 1]
    single = [x for x in base_to_new(table) if x.datasets == 1 and x.row == "text"]
    assert [(x.row, x.column) for x in found] == [
        ("text", "mean over 2 data sets"), ("random", "mean over 2 data sets"),
    ]  # fmt: skip
    assert len(single) == 2
    b, n = fmean(x.base or 0 for x in single), fmean(x.new or 0 for x in single)
    assert found[0].harmonic == pytest.approx(2 * b * n / (b + n))


def of_draws(cell: Cell) -> float:
    """Base 0.6 and 0.8, new 0.5 and 0.3: their means are 0.7 and 0.4."""
    draw = cell.class_seed or 0
    return 0.6 + 0.2 * draw if cell.test_classes == "base" else 0.5 - 0.2 * draw


DRAWN: dict[str, Any] = {"classes": {"pick": 10}, "class_seed": [0, 1], "classifier": "text"}


def drawn_study(**task: Any) -> Results:
    return make_results(
        task_of(**CHANGES | DRAWN | task), of_draws, n=1000, n_classes=20,
        test_name=lambda c: f"{c.dataset} {c.test_classes} {c.class_seed}",
    )  # fmt: skip


def test_over_class_draws_it_is_the_h_of_the_means() -> None:
    found = lines(drawn_study())
    assert [x.place for x in found] == [
        "1 shot, draw 0", "1 shot, draw 1", "4 shots, draw 0", "4 shots, draw 1",
        "mean over 2 class draws · 1 shot", "mean over 2 class draws · 4 shots",
    ]  # fmt: skip
    mean = found[-1]
    assert (mean.base, mean.new) == (pytest.approx(0.7), pytest.approx(0.4))
    assert mean.harmonic == pytest.approx(2 * 0.7 * 0.4 / 1.1)
    assert (mean.draws, mean.datasets) == (2, 1)
    assert "The H of a mean over class draws is that" in base_to_new_table(
        build_table(drawn_study())
    )


def test_over_draws_and_data_sets_there_are_both_means() -> None:
    found = lines(drawn_study(dataset=["emoji", "emoji_people"], shots=1))
    assert [x.place for x in found if x.datasets > 1 or x.draws > 1] == [
        "mean over 2 data sets, draw 0", "mean over 2 data sets, draw 1",
        "mean over 2 class draws · emoji", "mean over 2 class draws · emoji_people",
        "mean over 2 class draws · mean over 2 data sets",
    ]  # fmt: skip
    assert found[-1].harmonic == pytest.approx(2 * 0.7 * 0.4 / 1.1)


def test_a_missing_draw_leaves_no_mean() -> None:
    results = make_results(
        task_of(**CHANGES | DRAWN), of_draws,
        status=lambda c: "missing" if c.class_seed == 1 and c.shots == 4 else "done",
        test_name=lambda c: f"{c.dataset} {c.test_classes} {c.class_seed}",
    )  # fmt: skip
    assert [x.column for x in lines(results) if x.draws > 1] == ["mean over 2 class draws · 1 shot"]


def test_nothing_right_is_an_h_of_0() -> None:
    assert BaseToNew("a", "", 0.0, 0.0, "done", "done", (2, 2)).harmonic == 0.0


def test_a_study_without_new_classes_has_no_such_table() -> None:
    plain = make_results(task_of(classifier=["text", "random"], include=[], shots=1), lambda _: 0.5)
    assert base_to_new_table(build_table(plain)) == ""


def test_rows_are_compared_in_h() -> None:
    results = study(seeds=5)
    table = build_table(results)
    found = harmonic_table(table)
    assert found is not None
    h = {(line.row, line.column): line.harmonic for line in lines(results)}
    assert [(c.contrast.a, c.contrast.b, str(c.column)) for c in found.pairs] == [
        ("text", "random", "1 shot"), ("text", "random", "4 shots"),
    ]  # fmt: skip
    for c in found.pairs:
        a, b = (h[row, c.column.label] for row in (c.contrast.a, c.contrast.b))
        assert a is not None
        assert b is not None
        assert c.contrast.difference == pytest.approx(a - b)
        assert c.contrast.p_adjusted is not None
        assert (c.family, c.m) == ("column", 1)
    text = base_to_new_table(table)
    assert "### Differences in H" in text
    of_h = [r for r in csv.DictReader(io.StringIO(contrasts_csv(table)))
            if r["test_classes"] == "harmonic"]  # fmt: skip
    assert [float(r["difference"]) for r in of_h] == [c.contrast.difference for c in found.pairs]


def test_h_has_the_family_and_the_reference_of_the_task() -> None:
    report = {"rows": "classifier", "reference": "text", "family": "table"}
    found = harmonic_table(build_table(study(seeds=5, report=report)))
    assert found is not None
    assert [(c.contrast.b, c.family, c.m) for c in found.against] == [("text", "table", 2)] * 2


def test_h_of_means_over_data_sets_is_compared_too() -> None:
    task = {"dataset": ["folder:a", "folder:b"], "shots": 1, "seeds": 5}
    results = study(**task)
    found = harmonic_table(build_table(results))
    assert found is not None
    (mean,) = [c for c in found.columns if c.label.startswith("mean over 2 data sets")]
    (c,) = [c.contrast for c in found.pairs if c.column == mean]
    a, b = (line.harmonic for line in lines(results) if line.datasets == 2)
    assert a is not None
    assert b is not None
    assert c.difference == pytest.approx(a - b)


def test_pairs_of_h_share_the_variance_of_seeds_where_there_are_ten() -> None:
    names = ["text", "random", "orthogonal", "text_rotated", "prototype"]
    shared = "The pairs of a column of H share the variance of seeds"
    assert shared in base_to_new_table(build_table(study(seeds=5, classifier=names)))
    assert shared not in base_to_new_table(build_table(study(seeds=5, classifier=names[:4])))


def test_without_two_rows_nothing_is_compared() -> None:
    assert harmonic_table(build_table(study(no_new_rows))) is None
    assert harmonic_table(build_table(study(status=lambda _: "missing"))) is None
    waiting = harmonic_table(build_table(study(
        seeds=5, classifier=["text", "random", "orthogonal"],
        status=lambda c: "missing" if c.classifier and c.classifier.name == "random" else "done",
    )))  # fmt: skip
    assert waiting is not None
    assert {c.m for c in waiting.pairs} == {3}, "what is missing counts in the family"
