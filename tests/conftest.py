"""Fixtures of all tests: nobody's cache or runs are touched; tiny folders of images; processes."""

import os
import shutil
import signal
import stat
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOBODY = 65534

ImageFolder = Callable[[Mapping[str, int]], Path]
InChild = Callable[[Callable[[], str]], str]


def pytest_configure() -> None:
    """No test depends on a clock; signals do what they do at a terminal, not in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    hypothesis.settings.register_profile("no clock", deadline=None)
    hypothesis.settings.load_profile("no clock")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin, or the longest would be left to one process at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the counts that tests recorded, also those of other processes."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "count":
                terminalreporter.write_line(str(value))


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("APPLE_CLF_CACHE", str(home / "cache"))
    monkeypatch.setenv("APPLE_CLF_RUNS", str(home / "runs"))


@pytest.fixture
def shared_data() -> Path:
    """The real pictures, which lie beside the checkout where there are any."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"no real pictures in {path}")
    return path


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, for pages; where it is missing, the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path)
        yield opened
        opened.close()


def assert_nobody_is_kept_out(page: "Page", axe: str, *, checks: int) -> None:
    """No grave violation on a page.

    Args:
        page: open.
        axe: the script of axe-core.
        checks: that it must have made with success, or it did not look.
    """
    page.evaluate(axe)
    result = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [
        f"{violation['id']}: {violation['nodes'][0]['html']}"
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
    ] == []
    assert len(result["passes"]) > checks


def write_image(path: Path, seed: int) -> Path:
    """A PNG of 8x8 random gray pixels, others for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    Image.fromarray(pixels).save(path, "PNG")
    return path


@pytest.fixture
def image_folder(tmp_path: Path) -> ImageFolder:
    """Writes a folder with so many different images in each subfolder."""

    def write(counts: Mapping[str, int]) -> Path:
        root = tmp_path / "images"
        seed = 0
        for subfolder, n in counts.items():
            (root / subfolder).mkdir(parents=True)
            for i in range(n):
                write_image(root / subfolder / f"{i:03d}.png", seed)
                seed += 1
        return root

    return write


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach; pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        if any(not parent.stat().st_mode & stat.S_IXOTH for parent in path.parents):
            pytest.skip("there is no public folder for temporary files")
        yield path


@pytest.fixture
def in_child() -> InChild:
    """Runs a function in a process of its own and returns its text, or its traceback."""
    return _in_child


@pytest.fixture
def as_nobody() -> InChild:
    """Like in_child, but file permissions hold there: root would not notice them."""

    def run(function: Callable[[], str]) -> str:
        def powerless() -> str:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            return function()

        return _in_child(powerless)

    return run


def _in_child(function: Callable[[], str]) -> str:
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the runner may have threads
        pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            text = function()
        except BaseException:  # noqa: BLE001 (told to the parent, whose assertion fails)
            text = traceback.format_exc()
        with os.fdopen(writer, "w", encoding="utf-8", errors="backslashreplace") as pipe:
            pipe.write(text)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return text
