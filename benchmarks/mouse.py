"""Draws on the page with a real mouse, and counts what is answered.

    python -m benchmarks.mouse runs/apples-001 [--n 12] [--out DIR]
    python -m benchmarks.mouse http://127.0.0.1:8000

A run is served on a free port until the last drawing is answered. Of a server of several runs the
first is judged. A drawing is right if its own name is answered or, where the model has no such
class, anything but apple; an unsure answer is neither right nor wrong. It needs Chromium and
Playwright.
"""

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.mouse_drawings import Drawing, Stroke, drawings
from benchmarks.serving import server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PIXELS_A_MOVE = 4
"""How far the mouse goes between two of its messages."""
VERDICTS = ("right", "unsure", "wrong")


@dataclass(frozen=True)
class Answered:
    """What the page answered to a whole drawing."""

    drawing: Drawing
    class_name: str
    probability: float
    verdict: str  # one of VERDICTS


def judge(drawing: Drawing, answer: dict[str, Any]) -> Answered:
    """The answer held against what was drawn.

    Args:
        drawing: what it is.
        answer: the record that `predict --format json` gives.
    """
    answered, names = answer["class"], answer["probabilities"]
    is_right = answered == drawing.kind if drawing.kind in names else answered != "apple"
    verdict = "unsure" if answer["unsure"] else "right" if is_right else "wrong"
    return Answered(drawing, answered, answer["probability"], verdict)


def draw_all(page: "Page", what: Sequence[Drawing], *, out: Path | None) -> Iterator[Answered]:
    """Each drawing's answer, with a screenshot of it in a folder.

    Args:
        page: open and ready.
        what: drawn one after the other, each on an empty paper.
        out: there already; None keeps no screenshots.

    Raises:
        RuntimeError: a drawing had no answer; the message is what the page says.
    """
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    for number, drawing in enumerate(what, start=1):
        if number > 1:
            page.locator("#clear").click()
            _settle(page)
        responses.clear()
        for stroke in drawing.strokes:
            _draw(page, stroke)
        _settle(page)
        answers = [response for response in responses if response.url.endswith("/explain")]
        if page.locator("#problem").is_visible() or not answers:
            raise RuntimeError(f"{drawing.name}: {page.locator('#problem').text_content()}")
        if out is not None:
            name = f"{number:02d} {drawing.name}.png".replace(", ", " ").replace(" ", "_")
            page.screenshot(path=out / name, full_page=True)
        yield judge(drawing, answers[-1].json()["models"][0]["answer"])


def _draw(page: "Page", stroke: Stroke) -> None:
    """One stroke, from button down to button up."""
    box = page.locator("#pad").bounding_box()
    assert box is not None
    before = None
    for x, y in stroke:
        at = box["x"] + x / 100 * box["width"], box["y"] + y / 100 * box["height"]
        if before is None:
            page.mouse.move(*at)
            page.mouse.down()
        else:
            distance = max(abs(at[0] - before[0]), abs(at[1] - before[1]))
            page.mouse.move(*at, steps=max(1, round(distance / PIXELS_A_MOVE)))
        before = at
    page.mouse.up()


def _settle(page: "Page") -> None:
    """Waits until the newest drawing is answered, or the empty paper is shown."""
    page.wait_for_selector("html[data-state=answered]")


def table(answers: Sequence[Answered]) -> Iterator[str]:
    """A line per drawing, and how many are right, unsure and wrong, of apples and others."""
    drawn = max(len(answer.drawing.name) for answer in answers)
    named = max(len("class"), *(len(answer.class_name) for answer in answers))
    yield f"{'drawing':{drawn}}  {'':6}  {'class':{named}}  probability"
    for answer in answers:
        yield (
            f"{answer.drawing.name:{drawn}}  {answer.verdict:6}  {answer.class_name:{named}}  "
            f"{answer.probability:.3f}"
        )
    yield ""
    yield f"{'':{drawn}}  " + "  ".join(f"{verdict:>6}" for verdict in VERDICTS)
    for title, is_apple in (("apples", {True}), ("others", {False}), ("all", {True, False})):
        counts = Counter(a.verdict for a in answers if (a.drawing.kind == "apple") in is_apple)
        numbers = "  ".join(f"{counts[verdict]:>6}" for verdict in VERDICTS)
        yield f"{title:{drawn}}  {numbers}"


@contextmanager
def open_page(browser: "Browser", url: str) -> "Iterator[Page]":
    """The page of a server, ready to draw on, in a window of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("html[data-ready]")
        yield page
    finally:
        context.close()


@contextmanager
def _address(target: str) -> Iterator[str]:
    """The URL of a server; a run is served while the block lasts."""
    if target.startswith(("http://", "https://")):
        yield target
    else:
        with server(Path(target)) as port:
            yield f"http://127.0.0.1:{port}"


def main() -> int:
    """The exit code, after the table was printed."""
    everything = drawings()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mouse", description=__doc__)
    parser.add_argument("target", metavar="RUN|URL", help="a run's folder, or a server")
    parser.add_argument("--n", type=int, choices=range(1, len(everything) + 1), metavar="N",
                        default=len(everything), help="draw the first N only")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep a screenshot of each here")
    arguments = parser.parse_args()
    from playwright.sync_api import Error, sync_playwright

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        print("Chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 3
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        with _address(arguments.target) as url, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path)
            with open_page(browser, url) as page:
                answers = list(draw_all(page, everything[: arguments.n], out=arguments.out))
            browser.close()
    except (RuntimeError, Error) as error:
        print(f"{arguments.target}: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(answers)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
