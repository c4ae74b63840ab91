"""The experiments that come with the package: the recipes, and the experiments of the lessons."""

import os
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

from apple_clf.errors import ConfigError
from apple_clf.io.files import printable

_INSTALLED = Path(__file__).parents[1] / "configs"  # where a wheel has them
_CHECKOUT = Path(__file__).parents[2] / "configs"
CONFIGS = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""The folder of the recipes; `lessons` in it has a folder for each lesson."""

_EDITOR_LINE = "# yaml-language-server: $schema="


def recipe_names() -> list[str]:
    """Names of all recipes, such as `quickdraw-conv` for configs/quickdraw_conv.yaml."""
    return sorted(_recipe_name(path) for path in CONFIGS.glob("*.yaml"))


def recipe_text(name: str, file: Path) -> str:
    """The YAML of a recipe, with the commands in its comments written for the file it goes to.

    Args:
        name: a recipe's name, or LESSON/EXPERIMENT for an experiment of a lesson.
        file: where the text will be written.

    Raises:
        ConfigError: there is no recipe with this name.
    """
    source = _experiment_files().get(name)
    if source is None:
        raise ConfigError(_unknown_recipe(name))
    text = source.read_text(encoding="utf-8")
    if text.startswith(_EDITOR_LINE):  # the schema is not written beside the file
        text = text.partition("\n#\n")[2]
    in_checkout = f"configs/{source.relative_to(CONFIGS).as_posix()}"
    return text.replace(in_checkout, printable(quote(os.fspath(file))))


def recipe_hint(path: Path) -> str | None:
    """The command that writes the recipe which a missing file is named after, or None.

    `quickdraw`, `quickdraw.yaml` and `configs/quickdraw.yaml` all name the recipe `quickdraw`.
    """
    if path.suffix not in {"", ".yaml", ".yml"}:
        return None
    name = _recipe_name(path)
    in_lesson = f"{path.parent.name}/{path.stem}"
    for candidate in (in_lesson, name):
        if candidate in _experiment_files():
            return f"apple-clf init --recipe {candidate} {path.stem}.yaml"
    return None


def _experiment_files() -> dict[str, Path]:
    recipes = {_recipe_name(path): path for path in CONFIGS.glob("*.yaml")}
    lessons = {
        f"{path.parent.name}/{path.stem}": path
        for path in CONFIGS.glob("lessons/*/*.yaml")
        if path.name != "lesson.yaml"
    }
    return recipes | lessons


def _recipe_name(path: Path) -> str:
    return path.stem.replace("_", "-")


def _unknown_recipe(name: str) -> str:
    near = get_close_matches(name.replace("_", "-"), _experiment_files(), n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"unknown recipe {printable(name)!r}. {hint}Recipes: {', '.join(recipe_names())}."
