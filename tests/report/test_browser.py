"""A report in a real browser: nothing asked for, nothing wrong, everybody can use it.

Skipped where Chromium, Playwright or axe-core is missing.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import assert_nobody_is_kept_out

from apple_clf.report import write_report
from apple_clf.runs import Run
from report.made_up import make_diverged, make_imported, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.slow

HOSTILE = ("<script>alert(1)</script>", "a_very_long_name_" * 6)
RUNS: dict[str, Callable[[Path], Run]] = {
    "usual": make_run,
    "hostile": lambda path: make_run(
        path,
        class_names=HOSTILE,
        files=[f'test/<img src=x onerror=alert({i})>"{i}.png' for i in range(60)],
    ),
    "many classes, in colour": lambda path: make_run(
        path, class_names=[f"class {i}" for i in range(12)], channels=3
    ),
    "diverged": make_diverged,
    "imported": make_imported,
}
VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@dataclass
class Visit:
    """An open page and what the browser said of it."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def refuse(self, dialog: "Dialog") -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = {name: make(folder / name.replace(" ", "_")) for name, make in RUNS.items()}
    for run in made.values():
        write_report(run)
    return {name: run.report for name, run in made.items()}


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: "Browser", reports: dict[str, Path]) -> Iterator[Open]:
    contexts = []

    def open_(name: str = "usual", *, width: int = 1280, scheme: Any = "light") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        context.set_default_timeout(60_000)  # on a busy machine
        seen = Visit(context.new_page())
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("dialog", seen.refuse)
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(reports[name].as_uri())
        return seen

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip(
        "axe_playwright_python", reason="axe-playwright-python is not installed"
    )
    return Path(os.fspath(package.__path__[0]), "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_nothing_is_asked_for_wrong_or_wider_than_the_screen(
    visit: Open, name: str, width: int, scheme: str
) -> None:
    seen = visit(name, width=width, scheme=scheme)
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [seen.page.url]
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(("width", "scheme"), [VIEWS[0], VIEWS[-1]])
def test_axe_finds_nothing_that_keeps_anybody_out(
    visit: Open, axe: str, name: str, width: int, scheme: str
) -> None:
    page = visit(name, width=width, scheme=scheme).page
    assert_nobody_is_kept_out(page, axe, checks=15)


def test_theme_can_be_changed_by_keyboard(visit: Open) -> None:
    page = visit().page
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.locator("#theme").press("Enter")
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"
    assert page.evaluate(background) != light
    page.locator("#theme").press("Space")
    assert page.evaluate(background) == light


def test_weights_go_through_the_epochs_by_keyboard(visit: Open) -> None:
    page = visit().page
    slider, shown = page.locator("#weights-slider"), page.locator("#weights img:visible")
    assert shown.get_attribute("data-epoch") == "4"
    slider.press("Home")
    assert shown.get_attribute("data-epoch") == "0"
    slider.press("ArrowRight")
    assert (shown.count(), shown.get_attribute("data-epoch")) == (1, "1")
    assert page.locator("#weights-epoch").text_content() == "1"
    assert slider.get_attribute("aria-valuetext") == "epoch 1"


def test_threshold_can_be_tried_by_keyboard(visit: Open) -> None:
    page = visit().page
    slider, recall = page.locator("#threshold-slider"), page.locator("td[data-name=recall]")
    before = recall.text_content()
    slider.press("Home")
    assert page.locator("#threshold-value").text_content() == "0.00"
    assert recall.text_content() == "1.000"
    slider.press("End")
    assert recall.text_content() == "0.000" != before


def test_printed_page_is_light_and_without_controls(visit: Open) -> None:
    page = visit(scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for control in ("nav", "#theme", "#weights-slider", "#threshold-slider"):
        assert not page.locator(control).is_visible()
    assert page.locator("#weights img:visible").count() == 1


def test_without_scripts_all_results_are_there(
    browser: "Browser", reports: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["usual"].as_uri())
    assert page.locator("#weights img:visible").count() == 1
    assert page.locator("td[data-name=recall]").text_content() != ""
    assert not page.locator("#theme").is_visible()
    context.close()
