"""`diagnose`, and findings as text."""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from apple_clf.cli.options import DEFAULT_RUNS, Format, OutputFormat, RunArgument, RunsFolder
from apple_clf.cli.output import write_records
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.diagnosis import Finding
    from apple_clf.runs import Run


def diagnose(
    run: RunArgument = None,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
) -> None:
    """Say what went wrong in a training, and what to change."""
    from apple_clf.diagnosis import diagnose as diagnose_record
    from apple_clf.diagnosis import read_record
    from apple_clf.runs import find_run

    found = find_run(run, folder=runs)
    findings = diagnose_record(read_record(found))
    records = []
    for finding in findings:
        record = finding.as_dict()
        if format_ is Format.csv:  # one cell each
            record |= {"evidence": finding.evidence_in_words, "edit": " ".join(finding.edit)}
        records.append(record)
    write_records(
        records,
        format_,
        columns=("name", "severity", "evidence", "meaning", "edit"),
        as_text=lambda _: _lines(findings, found),
    )


def _lines(findings: "Sequence[Finding]", run: "Run") -> Iterator[str]:
    name = printable(run.path)
    if not findings:
        yield f"{name}: nothing found. It learnt, and what it learnt holds for new images."
        return
    several = len(findings) > 1
    yield f"{name}: {len(findings)} finding{'s, the weightiest first' * several}."
    for finding in findings:
        yield ""
        yield from finding_lines(finding, run)


def read_findings(run: "Run") -> "list[Finding]":
    """What was found at the end of a training; nothing for a run that has no findings.json."""
    from apple_clf.diagnosis import Finding
    from apple_clf.runs import files

    if not run.findings.exists():
        return []
    return [Finding.from_dict(each) for each in files.read_findings(run)["findings"]]


def finding_lines(finding: "Finding", run: "Run") -> Iterator[str]:
    """A finding as text: what it is, what it means, what was seen, what to try."""
    yield f"{str(finding.severity).capitalize()}: {finding.title}"
    yield f"  {finding.meaning}"
    yield f"  Seen: {printable(finding.evidence_in_words)}"
    if finding.edit:
        options = " ".join(f"--set {quote(edit)}" for edit in finding.edit)
        yield f"  Try: apple-clf train {quote(printable(run.resolved))} {options}"
