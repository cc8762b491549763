"""A headless Chromium for tests of pages.

Where it is not installed they are skipped with the reason; HARNESS_REQUIRE_CHROMIUM=1 makes that a
failure. Debian: apt-get install chromium chromium-driver.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PROGRAMS = ("chromium", "chromedriver")


def why_absent() -> str | None:
    """Why no browser can be started here."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"Chromium is not installed: no {', '.join(absent)}"
    if importlib.util.find_spec("selenium") is None:
        return "selenium is not installed"
    return None


def require_chromium() -> None:
    """Skip where Chromium cannot be started, or fail where it is required."""
    reason = why_absent()
    if reason and os.environ.get("HARNESS_REQUIRE_CHROMIUM"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser that logs its console and its requests."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def show(driver: Chrome, page: Path, width: int, height: int = 900) -> None:
    """Open a file in a window of this size. A window itself cannot be as narrow as a phone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for log in ("browser", "performance"):
        driver.get_log(log)  # what is of an earlier page
    driver.get(page.as_uri())


def requests(driver: Chrome) -> list[str]:
    """What the page has asked for since it was opened, without data in the page."""
    messages = [json.loads(line["message"])["message"] for line in driver.get_log("performance")]
    urls = [
        str(message["params"]["request"]["url"])
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in urls if not url.startswith("data:")]


def console(driver: Chrome) -> list[dict[str, Any]]:
    """What the console has shown since the page was opened."""
    return list(driver.get_log("browser"))
