"""The README, CONTRIBUTING and docs/architecture.md show what there is."""

import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from apple_clf.cli import app
from apple_clf.config import parse_experiment

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MODULES = sorted(
    path.relative_to(ROOT / "apple_clf")
    for path in (ROOT / "apple_clf").rglob("*.py")
    if path.name not in {"__init__.py", "__main__.py"} and "schema" not in path.parts
)


def commands() -> list[str]:
    root = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        nested = getattr(command, "commands", {})
        found += [f"{name} {inner}" for inner in nested] if nested else [name]
    return found


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_stands_in_the_tree_with_a_caption(module: Path) -> None:
    indent = "  " * len(module.parts)
    assert re.search(rf"^{indent}{re.escape(module.name)} +\S", ARCHITECTURE, re.MULTILINE)


def test_the_tree_lists_nothing_that_is_gone() -> None:
    listed = set(re.findall(r"^ +(\w+\.py) ", ARCHITECTURE, re.MULTILINE))
    assert listed == {module.name for module in MODULES}


@pytest.mark.parametrize("command", commands())
def test_every_command_stands_in_the_docs(command: str) -> None:
    assert f"apple-clf {command}" in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_the_example_experiment_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert parse_experiment(example, filename="README.md").name == "quickdraw"


def test_make_targets_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)", README)) - {"it"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_list_of_decisions_has_each_once_in_the_order_of_the_page() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    listed = re.findall(r"^ *- \[(.+)\]\(#(.+)\)$", page, re.MULTILINE)
    titles = re.findall(r"^##+ (.+)$", page, re.MULTILINE)
    assert listed == [(title, anchor(title)) for title in titles]
    assert len({link for _, link in listed}) == len(listed)


def test_links_to_decisions_lead_to_one() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    anchors = {anchor(title) for title in re.findall(r"^##+ (.+)$", page, re.MULTILINE)}
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(ROOT / "apple_clf").rglob("*.py")]:
        for target in re.findall(r"decisions\.md#([\w-]+)", path.read_text(encoding="utf-8")):
            assert target in anchors, f"{path}: {target}"


def anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_contributing_names_files_that_exist() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`([\w/]+(?:/[\w.]+|\.py))`", page))
    assert len(paths) > 20
    for path in paths:
        assert (
            (ROOT / path).exists()
            or (ROOT / "apple_clf" / path).exists()
            or (ROOT / "apple_clf" / "diagnosis" / path).exists()
        ), path
    for target in re.findall(r"\]\(([^)#]+)", page):
        assert (ROOT / target).exists(), target


def test_the_first_screen_is_short() -> None:
    assert len(README.splitlines()) <= 130


def test_nothing_ignored_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    ignored = subprocess.run(
        ["git", "ls-files", "-i", "-c", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ignored.stdout == ""
