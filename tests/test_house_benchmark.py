from pathlib import Path

import pytest

from benchmarks.house import defined_names, house_of, table

FILES = {
    "README.md": "# Little\n\ntext\n",
    "apple_clf/__init__.py": "from apple_clf.one import A\n",
    "apple_clf/__main__.py": "print()\n",
    "apple_clf/py.typed": "",
    "apple_clf/one.py": "A = 1\n\n\ndef run():\n    x = 2\n    return x\n",
    "apple_clf/two/__init__.py": '"""Two."""\n',
    "apple_clf/two/first.py": "class Box:\n    def run(self): ...\n\nA: int = 3\nlower = 4\n",
    "apple_clf/two/second.py": "def run(): ...\n\ndef _help(): ...\n",
    "apple_clf/two/data/text.txt": "not code\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


def test_rooms_are_modules_and_packages_at_the_top(checkout: Path) -> None:
    assert house_of(checkout).rooms == 2


def test_lines_are_counted_with_those_of_init_apart(checkout: Path) -> None:
    house = house_of(checkout)
    assert (house.modules, house.lines, house.lines_in_init, house.readme) == (6, 17, 2, 3)


def test_names_of_two_modules_are_found_with_their_modules(checkout: Path) -> None:
    assert house_of(checkout).shared_names == {
        "A": ("one.py", "two/first.py"),
        "run": ("one.py", "two/second.py"),
    }


def test_table_has_a_column_for_each_checkout(checkout: Path) -> None:
    house = house_of(checkout)
    lines = table({"before": house, "after": house}).splitlines()
    assert lines[:3] == ["|  | before | after |", "| --- | ---: | ---: |", lines[2]]
    assert lines[2] == "| rooms at the top level | 2 | 2 |"
    assert "| names defined in two modules or more | 2 | 2 |" in lines


def test_names_are_functions_classes_and_constants_of_the_top_level() -> None:
    source = """
__all__ = ["f"]
A, B = C = 1, 2
_PRIVATE: int = 3
mixed = Case = 4
def f():
    INNER = 5
async def g(): ...
class K:
    FIELD = 6
if A:
    D = 7
"""
    assert defined_names(source) == {"A", "B", "C", "_PRIVATE", "f", "g", "K"}
