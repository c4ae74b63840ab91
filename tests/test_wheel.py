"""What is installed is the whole product: recipes and lessons are in the wheel."""

import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    builder = wheel.WheelBuilder(str(ROOT))
    (path,) = builder.build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_wheel_has_every_recipe_and_lesson(members: set[str]) -> None:
    files = {path for path in CONFIGS.rglob("*") if path.suffix in {".yaml", ".md"}}
    assert len(files) > 60
    assert {
        f"apple_clf/configs/{path.relative_to(CONFIGS).as_posix()}" for path in files
    } <= members


def test_wheel_has_every_file_of_the_package(members: set[str]) -> None:
    package = ROOT / "apple_clf"
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path.relative_to(ROOT).as_posix() for path in files} <= members


def test_wheel_has_nothing_else(members: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in members} == {"apple_clf"}
    assert not [name for name in members if name.startswith(("tests/", "benchmarks/"))]
