"""The page in a real browser. Skipped where Chromium, Playwright or axe-core is missing."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import assert_nobody_is_kept_out
from explanation.models import convolutional, write_run
from PIL import Image

from apple_clf.runs import Run
from web import drawings
from web.drawings import Strokes
from web.serving import Server, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.slow

VIEWS = [(1280, "light"), (390, "dark")]
ANSWERS = "Number(document.documentElement.dataset.answers || 0)"


@dataclass
class Visit:
    """An open page and what the browser said of it."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def draw(self, strokes: Strokes) -> None:
        """Moves the mouse, and waits for the answer to the whole drawing."""
        self.page.locator("#pad").scroll_into_view_if_needed()
        box = self.page.locator("#pad").bounding_box()
        assert box is not None
        mouse = self.page.mouse
        for stroke in strokes:
            for i, (x, y) in enumerate(stroke):
                mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
                if i == 0:
                    mouse.down()
            mouse.up()
        self.settle()

    def settle(self) -> None:
        """Waits until the newest drawing is answered."""
        self.page.wait_for_selector("html[data-state=answered]")

    def verdict(self) -> str:
        return self.page.locator(".verdict").first.text_content() or ""


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: "Browser", server: Server) -> Iterator[Open]:
    """Opens the page, and sees at the end that nothing was wrong with it."""
    visits, contexts = [], []

    def open_(
        path: str = "/", *, width: int = 1280, scheme: Any = "light", of: Server = server
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            has_touch=width < 800,
        )
        contexts.append(context)
        context.set_default_timeout(60_000)  # on a busy machine
        seen = Visit(context.new_page())
        visits.append((seen, of.url))
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(of.url + path)
        seen.page.wait_for_selector("html[data-ready]")
        return seen

    yield open_
    for context in contexts:
        context.close()
    for seen, url in visits:
        assert seen.complaints == []
        elsewhere = [r for r in seen.requests if not r.startswith((url, "data:", "blob:"))]
        assert elsewhere == []


@pytest.mark.parametrize(
    ("strokes", "expected"),
    [
        (drawings.apple(), "apple"),
        (drawings.pear(), "not_apple"),
        (drawings.scribble(), "not_apple"),
    ],
    ids=["apple", "pear", "scribble"],
)
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_drawing_is_recognised(
    visit: Open, strokes: Strokes, expected: str, width: int, scheme: str
) -> None:
    seen = visit(width=width, scheme=scheme)
    seen.draw(strokes)
    assert seen.verdict() == expected


def test_every_stroke_is_answered_before_the_drawing_is_done(visit: Open) -> None:
    seen = visit()
    for i, stroke in enumerate(drawings.apple()):
        seen.draw([stroke])
        assert seen.page.evaluate(ANSWERS) > i
        percents = seen.page.locator(".bars span").all_text_contents()
        assert sum(float(text.removesuffix(" %")) for text in percents) == pytest.approx(100)


def test_pixels_layers_and_attribution_are_drawn(visit: Open) -> None:
    page = visit().page
    painted = """selector => {
        const canvas = document.querySelector(selector);
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    Visit(page).draw(drawings.apple())
    for selector in (".pixels", ".heat", ".network"):
        assert page.evaluate(painted, selector) > 10, selector
    assert "miss" in (page.locator(".attribution .note").text_content() or "")
    rows = page.locator(".numbers tbody tr th").all_text_contents()
    assert rows == ["dense_1", "dense_2", "output"]
    assert "dense_1 with 32 units" in (page.locator(".network").get_attribute("aria-label") or "")


COLOURED = """selector => {
        const canvas = document.querySelector(selector);
        const {width, height} = canvas;
        const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
        const places = [];
        for (let i = 0; i < width * height; i++) {
            const [r, g, b, a] = data.subarray(4 * i, 4 * i + 4);
            if (a > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 60) {
                places.push([i % width / width, Math.floor(i / width) / height]);
            }
        }
        return places;
    }"""


def test_attribution_lies_over_the_strokes_themselves(visit: Open) -> None:
    seen = visit()
    corner = [[(0.65, 0.7), (0.85, 0.7), (0.85, 0.9), (0.65, 0.9), (0.65, 0.7)]]
    seen.draw(corner)
    x, y = np.array(seen.page.evaluate(COLOURED, ".heat")).T
    assert 0.6 < x.min() < 0.66
    assert 0.84 < x.max() < 0.92
    assert 0.64 < y.min() < 0.71
    assert 0.89 < y.max() < 0.96


def test_undo_and_clear_go_back(visit: Open) -> None:
    seen = visit()
    page, strokes = seen.page, drawings.apple()
    seen.draw(strokes[:1])
    first = page.locator(".bars span").first.text_content()
    seen.draw(strokes[1:2])
    page.locator("#undo").click()
    seen.settle()
    assert page.locator(".bars span").first.text_content() == first
    page.locator("#clear").click()
    page.wait_for_selector(".model.waiting")
    assert seen.verdict() == "Nothing drawn yet"
    assert page.locator("#undo").is_disabled()


def test_keyboard_alone_draws_and_undoes(visit: Open) -> None:
    seen = visit()
    page = seen.page
    pad = page.locator("#pad")
    pad.focus()
    for key in (["ArrowUp"] * 8, [" "], ["ArrowRight", "ArrowDown"] * 6, ["Shift+ArrowLeft"] * 9):
        for pressed in key:
            pad.press(pressed)
    assert page.locator("#pen").text_content() == "Pen down."
    pad.press("Escape")
    assert page.locator("#pen").text_content() == "Pen up."
    seen.settle()
    assert seen.verdict() in {"apple", "not_apple", "I don't know"}
    pad.press("Control+z")
    page.wait_for_selector(".model.waiting")
    pad.press("Enter")
    pad.press("ArrowLeft")
    seen.settle()
    pad.press("Delete")
    page.wait_for_selector(".model.waiting")


def test_everything_is_reached_by_tab(visit: Open) -> None:
    seen = visit()
    seen.draw(drawings.apple())
    reached = set()
    for _ in range(20):
        seen.page.keyboard.press("Tab")
        reached.add(
            seen.page.evaluate("document.activeElement.id || document.activeElement.tagName")
        )
    assert {"pad", "undo", "clear", "file", "theme", "label", "send", "SUMMARY"} <= reached


def test_chosen_picture_gets_the_answer_of_its_file(
    visit: Open, server: Server, apple: Path
) -> None:
    seen = visit()
    seen.page.locator("#file").set_input_files(apple)
    seen.settle()
    expected = server.ask("/predict", apple.read_bytes()).json
    percent = f"{100 * expected['probabilities']['apple']:.1f} %"
    assert (seen.verdict(), seen.page.locator(".bars span").first.text_content()) == (
        expected["class"],
        percent,
    )


TRANSFER = """([bytes, kind, name, target]) => {
    const file = new File([new Uint8Array(bytes)], name, {type: kind});
    const data = new DataTransfer();
    data.items.add(file);
    const init = {bubbles: true, cancelable: true};
    document.querySelector('#pad').dispatchEvent(target === 'drop'
        ? new DragEvent('drop', {...init, dataTransfer: data})
        : new ClipboardEvent('paste', {...init, clipboardData: data}));
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_dropped_and_pasted_pictures_are_answered(visit: Open, apple: Path, way: str) -> None:
    seen = visit()
    content = [list(apple.read_bytes()), "image/png", "apple.png", way]
    seen.page.evaluate(TRANSFER, content)
    seen.settle()
    assert seen.verdict() == "apple"


def test_picture_that_cannot_be_used_is_told(visit: Open) -> None:
    seen = visit()
    seen.page.evaluate(TRANSFER, [[1, 2, 3], "image/png", "broken.png", "drop"])
    seen.page.wait_for_selector("#problem:not([hidden])")
    assert "image" in (seen.page.locator("#problem").text_content() or "")
    seen.page.evaluate(TRANSFER, [[1], "text/plain", "notes.txt", "drop"])
    assert seen.page.locator("#problem").text_content() == "That is not a picture."
    seen.complaints.clear()  # Chromium notes the 422 on its console


def test_photo_gets_the_answer_of_its_file(visit: Open, server: Server, shared_data: Path) -> None:
    seen = visit()
    photo = min((shared_data / "grocery").rglob("*.jpg"))
    seen.page.evaluate(TRANSFER, [list(photo.read_bytes()), "image/jpeg", "photo.jpg", "drop"])
    seen.settle()
    expected = server.ask("/predict", photo.read_bytes()).json
    assert seen.verdict() == ("I don't know" if expected["unsure"] else expected["class"])


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    return tmp_path / "noise.png"


BAR_COLOUR = "getComputedStyle(document.querySelector('.bars b')).backgroundColor"


def test_noise_is_answered_i_dont_know_and_the_classes_are_gray(visit: Open, noise: Path) -> None:
    seen = visit()
    seen.draw(drawings.apple())
    blue = seen.page.evaluate(BAR_COLOUR)
    seen.page.locator("#file").set_input_files(noise)
    seen.page.wait_for_selector(".model.unsure")
    spoken = " ".join((seen.page.locator(".model [role=status]").text_content() or "").split())
    assert spoken.startswith("I don't know Unlike anything it was trained on. Closest class: ")
    red, green, blue_part = _channels(seen.page.evaluate(BAR_COLOUR))
    assert max(red, green, blue_part) - min(red, green, blue_part) < 30
    assert seen.page.evaluate(BAR_COLOUR) != blue
    seen.page.locator("#undo").click()
    seen.settle()
    assert seen.verdict() == "apple"
    assert seen.page.locator(".doubt").text_content() == ""
    assert seen.page.evaluate(BAR_COLOUR) == blue


def _channels(colour: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]


def test_original_stands_beside_what_the_network_sees_for_pictures_alone(
    visit: Open, noise: Path
) -> None:
    seen = visit()
    original = seen.page.locator(".original")
    seen.draw(drawings.apple())
    assert original.is_hidden()
    seen.page.locator("#file").set_input_files(noise)
    original.wait_for()
    assert "noise.png" in (original.locator("canvas").get_attribute("aria-label") or "")
    width, height = seen.page.evaluate(
        "(({width, height}) => [width, height])(document.querySelector('.original canvas'))"
    )
    assert width / height == pytest.approx(60 / 40, rel=0.02)
    seen.page.locator("#undo").click()
    seen.settle()
    assert original.is_hidden()


def test_frame_shows_the_part_that_the_network_sees(visit: Open, tmp_path: Path) -> None:
    picture = np.full((100, 100), 255, np.uint8)
    picture[60:80, 60:80] = 0
    Image.fromarray(picture).save(tmp_path / "corner.png")
    seen = visit()
    seen.page.locator("#file").set_input_files(tmp_path / "corner.png")
    seen.page.locator(".original").wait_for()
    x, y = np.array(seen.page.evaluate(COLOURED, ".original canvas")).T
    assert 0.56 < x.min() < x.max() < 0.84
    assert 0.56 < y.min() < y.max() < 0.84


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (
            ["paper found", "3 ruled lines removed"],
            "How the drawing was read: paper found · 3 ruled lines removed",
        ),
        ([], ""),
    ],
    ids=["some", "none"],
)
def test_how_the_drawing_was_read_is_listed_if_it_was(
    visit: Open, steps: list[str], told: str
) -> None:
    def read_so(route: "Route") -> None:
        response = route.fetch()
        content = response.json()
        content["models"][0]["steps"] = steps
        route.fulfill(response=response, json=content)

    seen = visit()
    seen.page.route("**/explain", read_so)
    seen.draw(drawings.apple())
    assert seen.page.locator(".steps").text_content() == told
    assert seen.page.locator(".steps").is_visible() == bool(told)


def test_weights_go_through_the_epochs(visit: Open) -> None:
    page = visit().page
    page.locator(".weights summary").press("Enter")
    slider = page.locator(".weights input")
    page.wait_for_selector(".weights output:text-is('8')")
    picture = "document.querySelector('.weights canvas').toDataURL()"
    last = page.evaluate(picture)
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext") == "epoch 0"
    assert page.evaluate(picture) != last


def test_drawing_is_sent_to_its_folder(visit: Open, collected: Path) -> None:
    seen = visit()
    page = seen.page
    assert page.locator("#send").is_disabled()
    seen.draw(drawings.apple())
    page.locator("#label").fill("apple")
    page.locator("#send").click()
    page.wait_for_selector("#kept:has-text('Kept as apple')")
    (kept,) = (collected / "apple").iterdir()
    assert kept.read_bytes().startswith(b"\x89PNG")
    page.locator("#label").fill("banana")
    page.locator("#send").click()
    page.wait_for_selector("#kept:has-text('no class')")
    seen.complaints.clear()  # Chromium notes the 422 on its console
    assert [path for path in collected.rglob("*") if path.is_file()] == [kept]


@pytest.mark.parametrize(("width", "scheme"), [*VIEWS, (390, "light"), (1280, "dark")])
@pytest.mark.parametrize(
    ("path", "unsure"),
    [("/", False), ("/", True), ("/docs", False)],
    ids=["sure", "unsure", "docs"],
)
def test_axe_finds_nothing_that_keeps_anybody_out(
    visit: Open, noise: Path, path: str, unsure: bool, width: int, scheme: str
) -> None:
    package = pytest.importorskip(
        "axe_playwright_python", reason="axe-playwright-python is not installed"
    )
    seen = visit(path, width=width, scheme=scheme)
    page = seen.page
    if path == "/":
        seen.draw(drawings.apple())
        if unsure:
            page.locator("#file").set_input_files(noise)
            page.wait_for_selector(".model.unsure")
        for details in page.locator("summary").all():
            details.click()
    axe = Path(os.fspath(package.__path__[0]), "axe.min.js").read_text(encoding="utf-8")
    assert_nobody_is_kept_out(page, axe, checks=10)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_theme_is_switched_and_drawn_anew(visit: Open) -> None:
    seen = visit()
    seen.draw(drawings.apple())
    layers = "document.querySelector('.network').toDataURL()"
    light = seen.page.evaluate(layers)
    seen.page.locator("#theme").press("Enter")
    assert seen.page.locator("#theme").get_attribute("aria-pressed") == "true"
    assert seen.page.evaluate(layers) != light


def test_finger_draws(visit: Open) -> None:
    seen = visit(width=390)
    box = seen.page.locator("#pad").bounding_box()
    assert box is not None
    seen.page.touchscreen.tap(box["x"] + 50, box["y"] + 50)
    seen.settle()
    assert seen.verdict() in {"apple", "not_apple", "I don't know"}


def test_runs_stand_side_by_side_those_without_layers_too(
    visit: Open, run: Run, tmp_path: Path
) -> None:
    pictures = write_run(tmp_path / "conv", convolutional())
    bare = write_run(tmp_path / "bare", convolutional(), class_names=("<b>a</b>", "b" * 60, "c"))
    bare.keras_model.unlink()
    with serving(run.path, pictures.path, bare.path) as several:
        seen = visit(of=several)
        seen.draw(drawings.apple())
        page = seen.page
        names = page.locator("h2").all_text_contents()
        assert names == [run.name, "conv", "bare"]
        assert [box.is_visible() for box in page.locator(".layers").all()] == [True, True, False]
        assert "No layers" in (page.locator(".notes").last.text_content() or "")
        assert page.locator(".bars dt").all_text_contents()[-3:] == ["<b>a</b>", "b" * 60, "c"]
        assert page.evaluate("document.documentElement.scrollWidth") == 1280
        assert page.locator("#collect").is_hidden()


def test_server_that_has_gone_is_told(visit: Open, run: Run) -> None:
    with serving(run.path) as short:
        seen = visit(of=short)
    seen.page.locator("#pad").click()
    seen.page.wait_for_selector("#problem:not([hidden])")
    assert "does not answer" in (seen.page.locator("#problem").text_content() or "")
    seen.complaints.clear()  # Chromium notes the refused connection
