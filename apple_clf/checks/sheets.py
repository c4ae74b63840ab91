"""Contact sheets and a record of what the checks found."""

import io
import json
from pathlib import Path

from apple_clf.checks.checking import CheckedData, Finding
from apple_clf.checks.pool import Pool
from apple_clf.io.files import cannot_write, write_whole
from apple_clf.plots.contact_sheet import contact_sheet

PICTURES = 200  # on a sheet, pairs side by side


def write_sheets(checked: CheckedData, out: Path) -> list[Path]:
    """Paths of what was written: findings.json, and a sheet for each finding with pictures.

    Args:
        checked: what was found.
        out: a folder, made if it is missing; files of these names are replaced.

    Raises:
        FileSystemError: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    record = [finding.as_dict() for finding in checked.findings]
    written = [out / "findings.json"]
    write_whole(written[0], json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    for finding in checked.findings:
        if any(item.images for item in finding.items):
            written.append(out / f"{finding.check.replace(' ', '_')}.png")
            write_whole(written[-1], _sheet(finding, checked.pool))
    return written


def _sheet(finding: Finding, pool: Pool) -> bytes:
    """A PNG of the pictures of a finding, each over its file and class."""
    indices = [index for item in finding.items for index in item.images][:PICTURES]
    names = [f"{Path(pool.name(index)).stem} {pool.class_name(index)}" for index in indices]
    page = contact_sheet([pool.images[index] for index in indices], names, tile=100)
    content = io.BytesIO()
    page.save(content, "PNG")
    return content.getvalue()
