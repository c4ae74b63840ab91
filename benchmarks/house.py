"""The size of the package: how many rooms, modules and lines, and which names are defined twice.

    python -m benchmarks.house                          # this checkout
    python -m benchmarks.house FOLDER                   # another one
    python -m benchmarks.house --revision 0e2f50e       # a revision beside this checkout
    python -m benchmarks.house --revision A --revision B --names

A room is a module or package directly in `apple_clf`, without `__init__.py` and `__main__.py`. A
name is a function, class or constant (in capitals) at the top level of a module, private ones too.
One that several modules define counts once, also where that is meant: the command `train` and the
function that it calls. `--names` lists them, with their modules.
"""

import ast
import io
import subprocess
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[1]
PACKAGE = "apple_clf"


@dataclass(frozen=True)
class House:
    """What a checkout holds."""

    rooms: int
    modules: int
    lines: int
    lines_in_init: int
    readme: int
    shared_names: Mapping[str, tuple[str, ...]]  # name -> the modules that define it, two or more

    def rows(self) -> Iterator[tuple[str, int]]:
        """What the table shows, in order."""
        yield "rooms at the top level", self.rooms
        yield "modules", self.modules
        yield "lines", self.lines
        yield "lines in `__init__.py` files", self.lines_in_init
        yield "names defined in two modules or more", len(self.shared_names)
        yield "of these, private ones", sum(name.startswith("_") for name in self.shared_names)
        yield "lines of README.md", self.readme


def house_of(checkout: Path) -> House:
    """What the package of a checkout holds.

    Args:
        checkout: a folder with README.md and the folder apple_clf.
    """
    package = checkout / PACKAGE
    files = sorted(package.rglob("*.py"))
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    places = defaultdict(list)
    for path in files:
        for name in defined_names(path.read_text(encoding="utf-8")):
            places[name].append(path.relative_to(package).as_posix())
    return House(
        rooms=len({_room(path.relative_to(package)) for path in files} - {"__init__", "__main__"}),
        modules=len(files),
        lines=sum(lines.values()),
        lines_in_init=sum(n for path, n in lines.items() if path.name == "__init__.py"),
        readme=len((checkout / "README.md").read_text(encoding="utf-8").splitlines()),
        shared_names={name: tuple(at) for name, at in sorted(places.items()) if len(at) > 1},
    )


def _room(path: Path) -> str:
    return Path(path.parts[0]).stem


def defined_names(source: str) -> set[str]:
    """Functions, classes and constants at the top level of a module; dunder names are left out."""
    names = set()
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {leaf.id for target in targets for leaf in _leaves(target)}
            case ast.AnnAssign(target=ast.Name(id=name)) if name.isupper():
                names.add(name)
            case _:
                pass
    return {name for name in names if not name.startswith("__")}


def _leaves(target: ast.expr) -> list[ast.Name]:
    """The constants that an assignment defines: A, and B and C of `A = B, C = ...`."""
    return [leaf for leaf in ast.walk(target) if isinstance(leaf, ast.Name) and leaf.id.isupper()]


def unpack(revision: str, folder: Path) -> None:
    """Writes the package and the README of a git revision into a folder."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", revision, "--", PACKAGE, "README.md"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as file:
        file.extractall(folder, filter="data")


def table(houses: Mapping[str, House]) -> str:
    """A column for each checkout, as Markdown."""
    columns = [dict(house.rows()) for house in houses.values()]
    head = ["", *houses]
    rows = [[name, *(f"{column[name]:,}" for column in columns)] for name in columns[0]]
    return "\n".join(
        f"| {' | '.join(cells)} |" for cells in [head, ["---", *["---:"] * len(columns)], *rows]
    )


def main(
    checkout: Annotated[Path, typer.Argument(help="Checkout to measure.")] = ROOT,
    revision: Annotated[
        list[str] | None, typer.Option(help="Git revision to measure; may be repeated.")
    ] = None,
    names: Annotated[bool, typer.Option(help="List the names defined twice.")] = False,
) -> None:
    """Prints the size of the package, a column for each revision and one for the checkout."""
    houses = {}
    for name in revision or ():
        with tempfile.TemporaryDirectory() as folder:
            unpack(name, Path(folder))
            houses[name] = house_of(Path(folder))
    houses["this checkout" if checkout == ROOT else checkout.name] = house_of(checkout)
    print(table(houses))
    if names:
        _, last = houses.popitem()
        for name, modules in last.shared_names.items():
            print(f"{name}: {', '.join(modules)}")


if __name__ == "__main__":
    typer.run(main)
