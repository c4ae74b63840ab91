"""What stands in a report, for runs of every kind and state."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from apple_clf.report import render_report, write_report
from apple_clf.runs import Run
from report.made_up import CLASSES, EPOCHS, make_diverged, make_imported, make_run, write_json

pytestmark = pytest.mark.slow

HOSTILE = ("<script>alert(1)</script>", "a\"b'c\nd\u202ee")
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Tags, texts and attributes of a page, and whether its tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and self.get_starttag_text()[-2:] != "/>":  # type: ignore[index]  # a tag was read
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return " ".join(text for text in self.texts if text)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run, not to be changed."""
    return make_run(tmp_path_factory.mktemp("runs") / "tiny-001")


@pytest.fixture(scope="module")
def page(run: Run) -> Page:
    return Page(render_report(run))


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Run:
    return Run(shutil.copytree(run.path, tmp_path / run.name))


def section_ids(page: Page) -> list[str | None]:
    return [attributes["id"] for attributes in page.attributes("section")]


def test_every_part_is_there_and_linked(page: Page) -> None:
    ids = [
        *("result", "findings", "curves", "metrics", "confusion", "gallery", "ranking"),
        *("calibration", "threshold", "weights", "gradients", "data", "experiment", "environment"),
    ]
    assert section_ids(page) == ids
    links = [attributes["href"] for attributes in page.attributes("a")]
    assert links == ["#main", *(f"#{name}" for name in ids)]


def test_headings_descend_one_step_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_result_comes_first_in_words(page: Page, run: Run) -> None:
    content = json.loads(run.metrics.read_bytes())
    counts = content["confusion_matrix"]["counts"]
    assert f"{counts[0][0] + counts[1][1]} of 60 test images answered right." in page.words
    assert f"The model is {content['verdict']}." in page.words
    assert f"trained for {EPOCHS} epochs, stopped early, and keeps its weights after epoch 3" in (
        page.words
    )
    assert "3 of the images (5.0%) look unlike anything" in page.words


def test_finding_has_its_evidence_and_a_command(page: Page, run: Run) -> None:
    assert "Seen: on training images 1, on new images 0.8." in page.words
    place = f"{run.path.parent.name}/{run.name}"
    command = f"apple-clf train {place}/resolved.yaml --set training.epochs=10"
    assert command in re.sub(r"\s+", " ", page.words)


def test_memorising_is_told_where_no_finding_says_more(copy: Run) -> None:
    sentence = "In short, it partly memorised its training images"
    assert sentence not in render_report(copy)
    copy.findings.write_text('{"diverged": false, "findings": []}')
    assert sentence in render_report(copy)


def test_every_metric_stands_with_its_interval(page: Page, run: Run) -> None:
    for estimate in json.loads(run.metrics.read_bytes())["metrics"].values():
        assert f"{estimate['low']:.3f} to {estimate['high']:.3f}" in page.words


def test_what_differs_from_the_defaults_is_marked(tmp_path: Path) -> None:
    text = render_report(make_run(tmp_path / "a", "training.epochs=9"))
    marked = re.findall(r'<tr class="changed"><th scope="row">(\w+)</th>', text)
    assert marked == ["image_size", "epochs"]
    assert re.search(r"<mark>9</mark></td><td class=\"soft\">30<", text)


def test_page_needs_nothing_but_itself(page: Page) -> None:
    for _, attributes in page.tags:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), value
    assert "style" not in {name for _, attributes in page.tags for name in attributes}


def test_only_the_style_and_script_that_were_written_may_run(run: Run) -> None:
    text = render_report(run)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy.replace("&#43;", "+")
    assert "unsafe" not in policy


def test_same_run_gives_the_same_bytes_however_it_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(run)
    first = run.report.read_bytes()
    monkeypatch.chdir(run.path)
    write_report(Run(Path()))
    assert run.report.read_bytes() == first
    assert len(first) < 3_000_000


def test_metrics_may_be_given_before_they_are_written(copy: Run, run: Run) -> None:
    content = json.loads(copy.metrics.read_bytes())
    copy.metrics.unlink()
    text = render_report(copy, metrics=content)
    assert text == render_report(run).replace(run.path.parent.name, copy.path.parent.name)


def test_fault_29_names_cannot_become_markup(tmp_path: Path) -> None:
    files = [f'test/<img src=x onerror=alert({i})>\n"{i}' for i in range(60)]
    run = make_run(tmp_path / "x'\"><script>alert(2)<", class_names=HOSTILE, files=files)
    text = render_report(run)
    page = Page(text)
    scripts = page.attributes("script")
    assert [attributes.get("type") for attributes in scripts] == ["application/json", None]
    assert not [a for a in page.attributes("img") if "onerror" in a]
    assert HOSTILE[0] in page.words  # shown as it is, by escaping
    assert "a\"b'c\\nd\\u202ee" in page.words
    assert "\u202e" not in text


def test_fault_29_bytes_that_are_no_text_are_shown_escaped(copy: Run) -> None:
    content = json.loads(copy.dataset.read_bytes())
    write_json(copy.dataset, **content | {"source": "folder \udcff\x1b[31m"})
    page = Page(render_report(copy).encode().decode())
    assert r"folder \xff\x1b[31m" in page.words


@pytest.mark.parametrize("n_classes", [3, 12, 13, 40])
def test_many_classes_have_no_threshold_but_all_else(tmp_path: Path, n_classes: int) -> None:
    names = [f"class {i}" for i in range(n_classes)]
    page = Page(render_report(make_run(tmp_path / "many", class_names=names)))
    assert "threshold" not in section_ids(page)
    assert f"There are {n_classes} classes" in page.words
    assert ("The most frequent mistakes" in page.words) == (n_classes > 12)
    assert {"ranking", "calibration", "gallery"} <= set(section_ids(page))


def test_one_class_alone_has_no_ranking(tmp_path: Path) -> None:
    page = Page(render_report(make_run(tmp_path / "one", labels=[0] * 60)))
    assert "Only one class is present, so there is no curve." in page.words
    assert "undefined: only one class is present" in page.words


def test_measured_on_training_images_is_said(tmp_path: Path) -> None:
    page = Page(render_report(make_run(tmp_path / "a", split="train")))
    assert "so this says nothing of new images" in page.words
    assert 'class="chip good"' not in render_report(make_run(tmp_path / "b", split="train"))


def test_diverged_run_shows_how_it_went_and_says_what_is_missing(tmp_path: Path) -> None:
    page = Page(render_report(make_diverged(tmp_path / "a")))
    assert "The training diverged" in page.words
    assert {"findings", "curves", "weights", "gradients", "absent"} <= set(section_ids(page))
    assert "predictions.csv is not there: the training diverged" in page.words


def test_imported_run_shows_where_it_came_from(tmp_path: Path) -> None:
    page = Page(render_report(make_imported(tmp_path / "a")))
    assert "theirs.keras" in page.words
    assert "history.csv is not there: this model was trained elsewhere." in page.words
    assert "It was trained elsewhere" in page.words


def test_unfinished_run_says_how_to_go_on(tmp_path: Path) -> None:
    page = Page(render_report(Run(tmp_path)))
    assert f"apple-clf resume {tmp_path.parent.name}/{tmp_path.name}" in page.words
    assert section_ids(page) == ["result", "absent"]


FILES = (
    *("resolved", "history", "statistics", "weights", "findings", "dataset", "environment"),
    *("predictions", "gallery", "metrics"),
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'{"metrics": 3, "images": []}', b"a,b\n1\n", b"epoch,loss\n1,x\n\xff"],
    ids=["empty", "object", "list", "other", "table", "bytes"],
)
def test_damaged_file_is_told_in_its_place(copy: Run, name: str, content: bytes) -> None:
    getattr(copy, name).write_bytes(content)
    page = Page(render_report(copy))
    assert "damaged" in page.words
    assert "data" in section_ids(page) or name == "dataset"


@pytest.mark.parametrize("name", ["weights", "gallery"])
def test_archive_that_was_cut_is_told_in_its_place(copy: Run, name: str) -> None:
    path: Path = getattr(copy, name)
    path.write_bytes(path.read_bytes()[:-40])
    assert f"{path.name} is damaged" in Page(render_report(copy)).words


def test_numbers_that_are_texts_are_told_in_their_place(copy: Run) -> None:
    metrics = json.loads(copy.metrics.read_bytes())
    metrics["metrics"] = {name: {"value": "x"} for name in metrics["metrics"]}
    write_json(copy.metrics, **metrics)
    assert {"data", "confusion", "absent"} <= set(section_ids(Page(render_report(copy))))


def test_no_file_is_needed(copy: Run) -> None:
    for name in FILES:
        getattr(copy, name).unlink()
        assert "is not there" in Page(render_report(copy)).words


def test_classes_of_the_made_up_run_are_the_usual_ones(page: Page) -> None:
    assert all(name in page.words for name in CLASSES)
