import re
import shlex
from pathlib import Path

import pytest

from apple_clf.config import load_experiment
from apple_clf.config.recipes import CONFIGS, recipe_hint, recipe_names, recipe_text
from apple_clf.config.sweep import parse_sweep
from apple_clf.errors import ConfigError

LESSON_EXPERIMENTS = [
    f"{path.parent.name}/{path.stem}"
    for path in sorted(CONFIGS.glob("lessons/*/*.yaml"))
    if path.name != "lesson.yaml"
]


def test_names_are_those_of_the_files_with_hyphens() -> None:
    assert recipe_names() == [
        *("blog", "default", "imbalanced", "photos", "quickdraw", "quickdraw-conv", "sweep"),
    ]


@pytest.mark.parametrize("name", [*recipe_names(), *LESSON_EXPERIMENTS])
def test_text_of_a_recipe_is_valid_and_its_commands_name_the_file(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "my own.yaml"
    text = recipe_text(name, path)
    path.write_text(text, encoding="utf-8")
    load_experiment(path)
    if name == "sweep":
        parse_sweep(text.encode(), filename=str(path))
    assert "configs/" not in text
    assert "yaml-language-server" not in text
    assert re.search(f"^#   (command|alone) .* {shlex.quote(str(path))}$", text, re.MULTILINE)


@pytest.mark.parametrize("name", [*recipe_names(), *LESSON_EXPERIMENTS])
def test_text_of_a_recipe_is_the_experiment_of_the_file(name: str, tmp_path: Path) -> None:
    source = CONFIGS / f"{name.replace('-', '_')}.yaml"
    if "/" in name:
        source = CONFIGS / "lessons" / f"{name}.yaml"
    path = tmp_path / "copy.yaml"
    path.write_text(recipe_text(name, path), encoding="utf-8")
    assert load_experiment(path) == load_experiment(source)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("quickdrw", "quickdraw"),
        ("quickdraw_conv", "quickdraw-conv"),
        ("depht/deep", "depth/deep"),
        ("blog.yaml", "blog"),
    ],
)
def test_unknown_name_lists_the_recipes_and_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recipe_text(name, Path("e.yaml"))
    assert f"Did you mean {near}?" in str(caught.value)
    assert "Recipes: blog, default, imbalanced" in str(caught.value)


def test_name_like_none_lists_the_recipes() -> None:
    with pytest.raises(ConfigError, match=r"^unknown recipe '\.\./x'\. Recipes: blog"):
        recipe_text("../x", Path("e.yaml"))


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("quickdraw", "apple-clf init --recipe quickdraw quickdraw.yaml"),
        ("blog.yml", "apple-clf init --recipe blog blog.yaml"),
        (
            "configs/quickdraw_conv.yaml",
            "apple-clf init --recipe quickdraw-conv quickdraw_conv.yaml",
        ),
        ("configs/lessons/depth/deep.yaml", "apple-clf init --recipe depth/deep deep.yaml"),
        ("mine.yaml", None),
        ("blog.png", None),
        ("configs/lessons/depth/lesson.yaml", None),
    ],
)
def test_hint_is_the_command_that_writes_the_recipe(path: str, command: str | None) -> None:
    assert recipe_hint(Path(path)) == command


def test_missing_file_named_like_a_recipe_says_how_to_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_experiment(Path("configs/quickdraw.yaml"))
    assert str(caught.value) == (
        "configs/quickdraw.yaml: no such file. It is a recipe; write it first: "
        "apple-clf init --recipe quickdraw quickdraw.yaml"
    )
