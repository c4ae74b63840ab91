"""Run -> report.html: one file to look at, that needs nothing else.

Python computes what is told and drawn, the templates lay it out and escape it. The same run gives
the same bytes. What a run lacks is replaced by a sentence.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from apple_clf import __version__
from apple_clf.io.files import printable, write_whole
from apple_clf.report import answers, probabilities, record, training
from apple_clf.report.reading import DAMAGES, AbsentError, RunFiles
from apple_clf.report.words import summarise
from apple_clf.runs import Run

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_report", "write_report"]

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Section:
    """A part of the page, laid out by its template, or a sentence in its place."""

    id: str  # also the name of its template
    title: str
    body: str  # markup
    absent: str | None = None


def _findings(files: RunFiles) -> object:
    return files.findings


PARTS: tuple[tuple[str, str, Callable[[RunFiles], object]], ...] = (
    ("findings", "Findings", _findings),
    ("curves", "Learning curves", training.learning_curves),
    ("metrics", "Metrics", answers.metrics_table),
    ("confusion", "What it takes for what", answers.confusion),
    ("gallery", "Images to look at", answers.gallery),
    ("ranking", "Ranking", probabilities.ranking),
    ("calibration", "Calibration", probabilities.calibration),
    ("threshold", "Threshold", probabilities.threshold),
    ("weights", "What the first layer looks for", training.first_weights),
    ("gradients", "Inside the layers", training.gradient_flow),
    ("data", "Data", record.data),
    ("experiment", "Experiment", record.experiment),
    ("environment", "Environment", record.environment),
)


def write_report(run: Run, *, metrics: Mapping[str, Any] | None = None) -> None:
    """Writes a run's report.html.

    Args:
        run: in any state.
        metrics: the content of metrics.json, if that is not written yet.

    Raises:
        FileSystemError: it cannot be written.
    """
    write_whole(run.report, render_report(run, metrics=metrics))


def render_report(run: Run, *, metrics: Mapping[str, Any] | None = None) -> str:
    """The text of report.html, for a run in any state.

    Args:
        run: its files are read; one that is missing or damaged is told in its place.
        metrics: the content of metrics.json, if that is not written yet.
    """
    files, templates = RunFiles(run, metrics=metrics), _templates()
    style, script = (
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "script.js")
    )
    return templates.get_template("report.html").render(
        name=files.name,
        in_shell=files.in_shell,
        summary=summarise(files),
        sections=[_section(templates, files, *part) for part in PARTS],
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        version=__version__,
    )


def _section(
    templates: "Environment",
    files: RunFiles,
    id_: str,
    title: str,
    build: Callable[[RunFiles], object],
) -> Section:
    from jinja2 import TemplateError
    from markupsafe import Markup

    try:
        template = templates.get_template(f"sections/{id_}.html")
        body = template.render(content=build(files), resolved=printable(Run(files.place).resolved))
        return Section(id_, title, Markup(body))
    except AbsentError as absent:
        return Section(id_, title, "", str(absent))
    except (*DAMAGES, TemplateError):
        return Section(id_, title, "", "A file of this run is damaged, so this cannot be shown.")


def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    templates.filters["quoted"] = quote
    return templates


def _visible(value: object) -> object:
    """Plain text without control characters, so that no name can reorder or hide what follows."""
    return printable(value) if type(value) is str else value


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
