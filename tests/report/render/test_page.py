"""The HTML of a report in a browser: wide and narrow, sorted, filtered, with details."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.render.html import page
from harness.report.render.pipe_table import pipe_table
from harness.report.render.write import write_report
from harness.report.text.prose import escape

from ..studies import few_shot
from . import browser

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

#: What the cells of a column may look like, from the largest number to the least, then what has
#: none in the order in which it is written.
NUMBERS = ("11.3 G", "57.3 M", "1,540", "over 100", "**66.1** \\[64.0, 68.2\\] (1-3)",
           "9.5 \\[8.0, 11.0\\] (12)", "0.002", "0.001", "< 0.001", "-3.4", "-14.2")  # fmt: skip
NO_NUMBERS = ("–", "missing (2 of 5 seeds done)", "", "descriptive")
EVIL = '<script>document.title = "run"</script><img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    browser.require_chromium()
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a row whose name is a script, and many columns."""
    shots = [1, 2, 3, 4, 5, 6, 7, 8]
    results = few_shot(task={"shots": shots, "question": EVIL}, weights=True, n=60)
    return write_report(results, tmp_path_factory.mktemp("page"), EVIL)[1]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A page with one table of every kind of number, and nine rows or more."""
    values = [*NO_NUMBERS, *reversed(NUMBERS)]
    rows = [
        [escape(f"row {n} {EVIL}" if n == 3 else f"row {n}"), text] for n, text in enumerate(values)
    ]
    text = f"# t\n\n## Leaderboard\n\n{pipe_table(['Row', 'a'], rows)}\n"
    path = tmp_path / "tables.html"
    texts = [[f"row {n} in words {EVIL}"] for n in range(len(values))]
    path.write_text(page(text, "tables", [], [texts]), encoding="utf-8")
    return path


def column(driver: Chrome, number: int = 2) -> list[str]:
    """The texts of a column that are shown."""
    cells = driver.find_elements("css selector", f"tbody tr:not([hidden]) td:nth-child({number})")
    return [str(cell.get_attribute("textContent")).strip() for cell in cells]


def quiet(driver: Chrome, path: Path) -> None:
    """Nothing was complained of, and nothing but the page was asked for."""
    assert browser.console(driver) == []
    assert set(browser.requests(driver)) == {path.as_uri()}


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_but_tables_is_wider_than_the_window(
    driver: Chrome, report: Path, width: int
) -> None:
    browser.show(driver, report, width)
    sizes: dict[str, Any] = driver.execute_script("""
        const root = document.documentElement;
        return {
            page: root.scrollWidth, window: root.clientWidth,
            images: [...document.images].map((i) => [i.clientWidth, i.naturalWidth]),
            wide: [...document.querySelectorAll(".table")].filter(
                (box) => box.scrollWidth > box.clientWidth).length,
            out: [...document.querySelectorAll("main > *")].filter(
                (e) => e.getBoundingClientRect().right > root.clientWidth).map((e) => e.tagName),
        };""")
    assert sizes["page"] <= sizes["window"] <= width
    assert sizes["out"] == []
    assert sizes["images"]
    assert all(0 < shown <= width and natural > 0 for shown, natural in sizes["images"])
    assert sizes["wide"] > 0, "the leaderboard scrolls in its box"
    assert driver.title == "few_shot", "no script of a text has run"
    quiet(driver, report)


def test_a_click_sorts_by_the_mean_and_a_third_one_undoes_it(driver: Chrome, tables: Path) -> None:
    browser.show(driver, tables, 1280)
    title = driver.find_elements("css selector", "thead th")[1]
    button = title.find_element("css selector", "button")
    written = column(driver)
    shown = [n.replace("**", "").replace("\\", "") for n in NUMBERS]
    assert title.get_attribute("aria-sort") == "none"
    button.click()
    assert title.get_attribute("aria-sort") == "descending"
    assert column(driver) == [*shown, *NO_NUMBERS]
    button.click()
    assert title.get_attribute("aria-sort") == "ascending"
    assert column(driver) == [*reversed(shown), *NO_NUMBERS]
    button.click()
    assert title.get_attribute("aria-sort") == "none"
    assert column(driver) == written
    quiet(driver, tables)


def test_the_keyboard_sorts_words_with_their_numbers(driver: Chrome, tables: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.show(driver, tables, 1280)
    first, second = driver.find_elements("css selector", "thead th")
    second.find_element("css selector", "button").send_keys(Keys.ENTER)
    first.find_element("css selector", "button").send_keys(Keys.SPACE)
    assert first.get_attribute("aria-sort") == "ascending"
    assert second.get_attribute("aria-sort") == "none"
    names = [name.split(" <")[0] for name in column(driver, 1)]
    assert names == [f"row {n}" for n in range(len(names))], "row 2 is before row 10"


def test_a_filter_keeps_the_rows_with_every_word(driver: Chrome, tables: Path) -> None:
    browser.show(driver, tables, 1280)
    field = driver.find_element("css selector", ".filter input")
    status = driver.find_element("css selector", ".filter [role=status]")
    field.send_keys("14 ROW")
    assert column(driver, 1) == ["row 4", "row 14"], "row 4 has -14.2"
    assert status.text == "2 of 15 rows"
    field.clear()
    field.send_keys("x")
    assert [name[:5] for name in column(driver, 1)] == ["row 3"]
    field.send_keys("yz")
    assert column(driver, 1) == []
    field.clear()
    field.send_keys(" ")
    assert len(column(driver, 1)) == 15
    assert status.text == ""


def test_short_tables_have_no_filter(driver: Chrome, report: Path) -> None:
    browser.show(driver, report, 1280)
    rows = driver.execute_script("""
        return [...document.querySelectorAll(".table")].map((box) => [
            box.querySelectorAll("tbody tr").length,
            box.previousElementSibling.className === "filter"]);""")
    assert rows
    assert all(has == (number > 8) for number, has in rows)


def test_details_open_by_mouse_and_keyboard(driver: Chrome, tables: Path) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.show(driver, tables, 400)
    cells = driver.find_elements("css selector", "td[data-detail]")
    box = driver.find_element("css selector", ".detail")
    assert not box.is_displayed()
    ActionChains(driver).move_to_element(cells[1]).perform()
    assert box.text == f"row 1 in words {EVIL}"
    right = driver.execute_script("return arguments[0].getBoundingClientRect().right", box)
    assert right <= 400
    assert [c.get_attribute("tabindex") for c in cells[:3]] == ["0", "-1", "-1"]
    cells[0].send_keys(Keys.ARROW_DOWN)
    cells[1].send_keys(Keys.ARROW_DOWN)
    assert driver.switch_to.active_element == cells[2]
    assert box.text == f"row 2 in words {EVIL}"
    cells[2].send_keys(Keys.ESCAPE)
    assert not box.is_displayed()
    assert driver.title == "tables"
    quiet(driver, tables)


def test_details_of_a_report_are_those_of_its_entries(driver: Chrome, report: Path) -> None:
    browser.show(driver, report, 1280)
    found = driver.find_elements("css selector", "td[data-detail]")
    assert len(found) == 8 * 8
    assert str(found[0].get_attribute("data-detail")).startswith("text, 1 shot: mean ")
    assert found[0].get_attribute("title") in ("", None)


def test_on_paper_tables_are_whole_and_nothing_is_to_be_clicked(
    driver: Chrome, tables: Path
) -> None:
    browser.show(driver, tables, 1280)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = driver.execute_script("""
        const style = (of, pseudo) => getComputedStyle(document.querySelector(of), pseudo);
        return [style(".filter").display, style(".table").overflowX,
                style("th button", "::after").content];""")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == ["none", "visible", "none"]


def test_where_chromium_is_absent_tests_are_skipped_or_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser, "PROGRAMS", ("no-such-program",))
    monkeypatch.delenv("HARNESS_REQUIRE_CHROMIUM", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed: no no-such-program"):
        browser.require_chromium()
    monkeypatch.setenv("HARNESS_REQUIRE_CHROMIUM", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed: no no-such-program"):
        browser.require_chromium()
