import json
from pathlib import Path

import pytest

from apple_clf.config import load_experiment, parse_experiment
from apple_clf.config.recipes import recipe_names
from apple_clf.config.schema import Experiment
from cli.conftest import Cli


def test_check_says_that_an_experiment_is_valid(cli: Cli, experiment: Path) -> None:
    outcome = cli("config", "check", experiment)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{experiment}: valid\n", "")
    assert cli("config", "check").out == "the built-in experiment: valid\n"


def test_check_shows_all_errors_at_once(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("seed: -1\ntraining: {epochs: 0}\n")
    outcome = cli("config", "check", path)
    assert (outcome.code, outcome.out) == (2, "")
    lines = outcome.err.splitlines()
    assert len(lines) == 2
    assert f"{path}:1:" in lines[0]
    assert f"{path}:2:" in lines[1]


def test_show_prints_an_experiment_that_reads_the_same(cli: Cli, experiment: Path) -> None:
    shown = cli("config", "show", experiment, "--set", "seed=7").out
    expected = load_experiment(experiment, ["seed=7"])
    assert parse_experiment(shown, filename="shown") == expected
    assert expected.seed == 7


def test_show_without_a_file_prints_the_defaults(cli: Cli) -> None:
    assert parse_experiment(cli("config", "show").out, filename="shown") == Experiment()


def test_schema_is_json(cli: Cli) -> None:
    schema = json.loads(cli("config", "schema").out)
    assert "training" in schema["properties"]


@pytest.mark.parametrize("with_data", [False, True])
def test_init_writes_an_experiment_that_is_valid(
    cli: Cli, pictures: Path, tmp_path: Path, with_data: bool
) -> None:
    path = tmp_path / "my first.yaml"
    outcome = cli("init", path, *(["--data", pictures] if with_data else []))
    assert outcome.code == 0
    assert f"apple-clf train '{path}'" in outcome.out
    experiment = load_experiment(path)
    assert experiment.data.source == ("folder" if with_data else "simulated")


def test_init_overwrites_only_by_force(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    refused = cli("init", path)
    assert (refused.code, path.read_text()) == (2, "mine")
    assert "--force" in refused.err
    assert cli("init", path, "--force").code == 0
    assert load_experiment(path).name == "mine"


def test_init_writes_a_recipe_and_never_over_a_file(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    outcome = cli("init", "--recipe", "blog", path)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"Wrote {path}. Run it: apple-clf train {path}\n"
    written = path.read_bytes()
    assert load_experiment(path).name == "blog"
    refused = cli("init", "--recipe", "default", path)
    assert (refused.code, path.read_bytes()) == (2, written)
    assert cli("init", "--recipe", "default", path, "--force").code == 0
    assert load_experiment(path) == Experiment()


def test_init_of_the_sweep_says_to_sweep(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    assert f"Run it: apple-clf sweep {path}\n" in cli("init", "--recipe", "sweep", path).out


def test_init_of_an_unknown_recipe_is_2_and_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("init", "--recipe", "quickdrw", tmp_path / "e.yaml")
    assert outcome.code == 2
    assert "Did you mean quickdraw?" in outcome.err
    assert not list(tmp_path.iterdir())


def test_init_takes_a_recipe_or_data(cli: Cli, pictures: Path, tmp_path: Path) -> None:
    outcome = cli("init", "--recipe", "blog", "--data", pictures, tmp_path / "e.yaml")
    assert outcome.code == 2
    assert "cannot be combined" in outcome.err


def test_init_lists_all_recipes_in_its_help(cli: Cli) -> None:
    text = " ".join(cli("init", "--help").out.split())
    for name in recipe_names():
        assert name in text


def test_train_of_a_recipe_s_name_says_how_to_write_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli("train", "quickdraw")
    assert outcome.code == 2
    assert "apple-clf init --recipe quickdraw quickdraw.yaml" in outcome.err


def test_init_for_a_folder_that_is_not_there_is_3_and_writes_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    outcome = cli("init", tmp_path / "e.yaml", "--data", tmp_path / "none")
    assert outcome.code == 3
    assert not list(tmp_path.iterdir())


def test_simulate_draws_a_folder_to_train_on(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "drawn"
    outcome = cli("data", "simulate", out, "--samples", "6", "--size", "12", "--seed", "3")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Drew 6 images. Look at them: ")
    assert len(list(out.glob("*/*.png"))) == 6
