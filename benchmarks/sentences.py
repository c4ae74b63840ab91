"""Sentences of an earlier revision beside today's, picked by chance, to compare their language.

    python -m benchmarks.sentences REVISION [--n 20] [--seed 0]

They are taken in equal parts from help texts, from messages and from pages of documentation. What
stands beside a sentence is the most similar one of the same kind today, or nothing where none is.
"""

import argparse
import ast
import io
import random
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/*.md")
SHORTEST = 20
"""Characters; what is shorter is a label rather than a sentence."""
SIMILAR = 0.4
"""Ratio of matching characters below which two sentences are not the same one rewritten."""


def help_texts(tree: ast.Module) -> Iterator[str]:
    """Docstrings of a module's public functions, and the texts of `help` arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield (ast.get_docstring(node) or "").split("\n\n")[0]
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield text_of(node.value)


def messages(tree: ast.Module) -> Iterator[str]:
    """Texts that are raised, or assigned to a name such as `message`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from map(text_of, node.exc.args)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"message", "why"}:
            yield text_of(node.value)


def text_of(node: ast.expr) -> str:
    """The text of a string, with `...` for what an f-string puts in; empty for other things."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "..." for part in node.values)
    return ""


def prose(page: str) -> Iterator[str]:
    """Paragraphs of a page of Markdown, without code blocks, tables and headings."""
    for paragraph in re.sub(r"```.*?```", "", page, flags=re.DOTALL).split("\n\n"):
        if not paragraph.lstrip().startswith(("#", "|", "<", "!")):
            yield paragraph


def sentences(texts: Iterable[str]) -> list[str]:
    """What stands between full stops, each once, in order."""
    found = (
        " ".join(sentence.split())
        for text in texts
        for sentence in re.split(r"(?<=[.!?:])\s+", text)
    )
    return list(dict.fromkeys(each for each in found if len(each) >= SHORTEST))


def language(root: Path) -> dict[str, list[str]]:
    """The sentences of a checkout by their kind."""
    trees = {
        path: ast.parse(path.read_text()) for path in sorted((root / "apple_clf").rglob("*.py"))
    }
    pages = [path for pattern in PAGES for path in sorted(root.glob(pattern))]
    return {
        "help": sentences(
            text for path, tree in trees.items() if "cli" in path.parts for text in help_texts(tree)
        ),
        "message": sentences(text for tree in trees.values() for text in messages(tree)),
        "docs": sentences(text for page in pages for text in prose(page.read_text())),
    }


def nearest(sentence: str, among: Sequence[str]) -> str | None:
    """The most similar of some sentences, or None if none is similar."""
    ratios = [SequenceMatcher(None, sentence, each).ratio() for each in among]
    best = max(range(len(among)), key=ratios.__getitem__, default=None)
    return None if best is None or ratios[best] < SIMILAR else among[best]


def checkout(revision: str, folder: Path) -> Path:
    """A revision's files, written to a folder."""
    archive = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def main() -> int:
    """Prints the pairs as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentences", description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        before = language(checkout(arguments.revision, Path(folder)))
    after = language(ROOT)
    kinds = list(before)
    picked = [kinds[place % len(kinds)] for place in range(arguments.n)]
    print("| kind | before | after |\n|---|---|---|")
    for kind in kinds:
        for sentence in chance.sample(before[kind], picked.count(kind)):
            row = (kind, sentence, nearest(sentence, after[kind]) or "(gone)")
            print(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
