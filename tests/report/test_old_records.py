"""Reports of Records of an earlier version: the numbers that it printed, in the columns it had.

tests/fixtures/old_records has a runs folder as the code of November 2026 wrote it, and its reports.
"""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from harness.study import open_study

FIXTURE = Path(__file__).parent.parent / "fixtures" / "old_records"
#: Axes and measures that came after the fixture.
NEW_AXES = {
    "clip_starts", "crops", "feature_precision", "interpolate", "support", "support_views",
    "test_classes",
}  # fmt: skip
#: Sections that came after it.
NEW_SECTIONS = r"^## Which classes change$.*?(?=^## )"
#: In its accuracies, which had one decimal here, there are now those of the leaderboard.
COST = r"(?<=^## Accuracy and cost$).*?(?=^## )"
NEW_COLUMNS = {"nll", "ece", *NEW_AXES}


@pytest.fixture(scope="module", params=["study", "pictures"])
def reports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of today; its Markdown is `today.md`, that of the fixture `old.md`."""
    folder = tmp_path_factory.mktemp("old") / "study"
    shutil.copytree(FIXTURE, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the task names features.npz
        page = open_study(f"{request.param}.yaml", reports="today").report()[0]
    for kind, suffix in (("md", ".md"), ("csv", ".csv"), ("contrasts", "_contrasts.csv")):
        for version, files in (("today", folder / "today"), ("old", folder / "reports")):
            shutil.copy(files / f"{page.stem}{suffix}", folder / f"{version}.{kind}")
    return folder


def table_rows(page: Path) -> list[str]:
    """The rows of all tables of the body, without the mark of rows that learned little, which came
    later; their headers may be worded otherwise.
    """
    body = page.read_text("utf-8").split("<!-- end of body -->")[0]
    body = re.sub(NEW_SECTIONS, "", body, flags=re.DOTALL | re.MULTILINE)
    body = re.sub(COST, _without_accuracies, body, flags=re.DOTALL | re.MULTILINE)
    rows = [line.replace(" †", "") for line in body.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| :", "| Row |", "| Column |"))]


def _without_accuracies(section: re.Match[str]) -> str:
    """Without the second cell of every row."""
    return re.sub(r"^(\|[^|]+\|)[^|]+\|", r"\1", section[0], flags=re.MULTILINE)


def test_tables_have_the_same_numbers(reports: Path) -> None:
    old = table_rows(reports / "old.md")
    assert len(old) > 10
    assert table_rows(reports / "today.md") == old


def test_the_csv_of_cells_has_the_same_columns_and_new_ones(reports: Path) -> None:
    def lines(name: str) -> list[dict[str, str]]:
        with (reports / name).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    today, old = lines("today.csv"), lines("old.csv")
    assert set(today[0]) - set(old[0]) == NEW_COLUMNS
    kept = [{k: v for k, v in line.items() if k not in NEW_COLUMNS} for line in today]
    assert [list(line.items()) for line in kept] == [list(line.items()) for line in old]


def test_the_csv_of_contrasts_is_the_same_but_for_axes_that_came_later(reports: Path) -> None:
    def lines(name: str) -> list[list[tuple[str, str]]]:
        with (reports / name).open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        return [[(k, v) for k, v in row.items() if k not in NEW_AXES] for row in rows]

    assert lines("today.contrasts") == lines("old.contrasts")
