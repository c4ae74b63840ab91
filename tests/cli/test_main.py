"""What all commands share: help, exit codes, errors, streams, start-up."""

import errno
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import apple_clf
from apple_clf import cli as cli_module
from apple_clf import config, errors
from apple_clf.cli import app
from apple_clf.runs import Run
from cli.conftest import PROGRAM, Cli, Shell

pytestmark = pytest.mark.slow

HEAVY = {"tensorflow", "keras", "matplotlib", "pandas", "sklearn", "pooch", "requests"}


def all_commands(command: Any, *names: str) -> dict[tuple[str, ...], Any]:
    """Every command and group, by its words."""
    found = {names: command}
    for name, inner in getattr(command, "commands", {}).items():
        found |= all_commands(inner, *names, name)
    return found


COMMANDS = all_commands(get_command(app))


def test_commands_are_the_ones_that_are_documented() -> None:
    leaves = [" ".join(words) for words, c in COMMANDS.items() if not hasattr(c, "commands")]
    assert sorted(leaves) == [
        *("compare", "config check", "config schema", "config show", "data check"),
        *("data fetch", "data simulate", "diagnose", "evaluate", "explain"),
        *("export",),
        *("import", "init", "lesson list", "lesson run"),
        *("predict", "report", "resume", "runs", "serve", "sweep", "train", "verify"),
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_fits_80_columns_and_cuts_no_sentence(
    cli: Cli, words: tuple[str, ...], flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = cli(*words, flag)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: {' '.join(['apple-clf', *words])} ")
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "...\n" not in outcome.out.partition("\n")[2]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_option_and_argument_has_a_help_text(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert command.help
    for parameter in command.params:
        assert parameter.help, parameter.name


def test_version_is_told(cli: Cli) -> None:
    assert cli("--version").out == f"apple-clf {apple_clf.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["frobnicate"], "No such command", id="unknown_command"),
        pytest.param(["train", "--frobnicate"], "No such option", id="unknown_option"),
        pytest.param(["train", "a.yaml", "b.yaml"], "unexpected extra argument", id="extra"),
        pytest.param(["train", "--set"], "requires an argument", id="option_without_value"),
        pytest.param(["predict"], "Missing argument", id="missing_argument"),
        pytest.param(["evaluate"], "Missing option", id="missing_option"),
        pytest.param(["runs", "--format", "xml"], "is not one of", id="bad_choice"),
        pytest.param(["data", "simulate", "x", "--samples", "0"], "--samples", id="out_of_range"),
        pytest.param(["train", "--set", "training.epochs"], "KEY=VALUE", id="bad_override"),
        pytest.param(
            ["train", "--set", "training.learing_rate=1"], "learning_rate", id="unknown_key"
        ),
        pytest.param(["train", "missing.yaml"], "no such file", id="missing_config"),
        pytest.param(["config", "check", "."], "folder", id="config_is_a_folder"),
        pytest.param(["predict", ""], "empty name", id="empty_name"),
    ],
)
def test_usage_and_config_errors_are_2(
    cli: Cli, run: Run, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLE_CLF_RUNS", str(run.path.parent))
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("arguments", [[], ["config"], ["data"]], ids=" ".join)
def test_no_command_shows_help_and_is_a_usage_error(cli: Cli, arguments: list[str]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert "Usage:" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        pytest.param(errors.ConfigError("text"), 2, "text", id="config"),
        pytest.param(errors.MissingExtraError("text"), 2, "text", id="extra"),
        pytest.param(errors.DataError("text"), 3, "text", id="data"),
        pytest.param(errors.ArtifactError("text"), 4, "text", id="artifact"),
        pytest.param(errors.FileSystemError("text"), 5, "text", id="file_system"),
        pytest.param(OSError(errno.EACCES, "No", "a.txt"), 5, "a.txt: No", id="os_error"),
        pytest.param(errors.LockedError("text"), 6, "text", id="locked"),
        pytest.param(errors.DivergedError("text"), 7, "text", id="diverged"),
        pytest.param(errors.MemoryLimitError("text"), 8, "text", id="memory_limit"),
        pytest.param(MemoryError(), 8, "memory ran out", id="memory"),
        pytest.param(KeyboardInterrupt(), 130, "interrupted.", id="interrupted"),
    ],
)
def test_every_error_is_one_line_with_its_exit_code(
    cli: Cli, error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(config, "read_source", fail)
    outcome = cli("config", "check")
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.strip().startswith(f"Error: {line}")
    assert len(outcome.err.strip().splitlines()) == 1


def test_debug_shows_the_traceback_besides() -> None:
    result = subprocess.run(
        [*PROGRAM, "--debug", "config", "check", "missing.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == errors.ConfigError.exit_code
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: missing.yaml: no such file")


def test_a_bug_shows_its_traceback_and_is_1(shell: Shell) -> None:
    program = (
        "import sys; from apple_clf import cli, config\n"
        "config.read_source = lambda *arguments: 1 / 0\n"
        "sys.argv = ['apple-clf', 'config', 'check']; cli.main()"
    )
    result = shell(f'"$1" -c "{program}"')
    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr


def test_completion_prints_a_script(shell: Shell) -> None:
    result = shell('"$@"; exit', "--show-completion", "bash")  # bash stays, to be found as parent
    assert result.returncode == 0
    assert "complete -o" in result.stdout


LIGHT = {
    "help": ["--help"],
    "init": ["init", "new.yaml"],
    "runs": ["runs"],
    "runs sorted": ["runs", "--sort", "training.epochs", "--where", "images>0"],
    "check": ["config", "check"],
    "diagnose": ["diagnose"],
    "predict": ["predict", "a.png"],
}


@pytest.mark.parametrize("arguments", LIGHT.values(), ids=LIGHT)
def test_light_commands_import_nothing_heavy(
    arguments: list[str], run: Run, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(next(pictures.rglob("*.png")).read_bytes())
    program = (
        "import atexit, json, pathlib, runpy, sys\n"
        "names = lambda: {name.partition('.')[0] for name in sys.modules}\n"
        "write = lambda: pathlib.Path('modules').write_text(json.dumps(sorted(names())))\n"
        "atexit.register(write)\n"
        "runpy.run_module('apple_clf', run_name='__main__', alter_sys=True)"
    )
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={"APPLE_CLF_RUNS": str(run.path.parent), "PATH": ""},
        check=True,
        capture_output=True,
    )
    loaded = set(json.loads((tmp_path / "modules").read_text()))
    assert "apple_clf" in loaded
    assert not loaded & HEAVY


def test_fault_48_closed_pipe_is_silent(shell: Shell, run: Run, pictures: Path) -> None:
    many = [pictures] * 40  # more than a pipe holds
    result = shell('"$@" | head -1', "predict", *many, "--run", run.path, "--format", "jsonl")
    json.loads(result.stdout)
    assert result.stderr == ""


@pytest.mark.parametrize("times", [1, 40], ids=["at_the_end", "midway"])
def test_fault_49_full_disk_on_stdout_is_5_and_one_line(
    shell: Shell, run: Run, pictures: Path, times: int
) -> None:
    result = shell('"$@" > /dev/full', "predict", *[pictures] * times, "--run", run.path)
    assert result.returncode == 5
    assert re.fullmatch(r"Error: standard output.*No space left on device\n", result.stderr)


@pytest.mark.parametrize("command", ["--help", "--version"])
def test_fault_49_full_disk_is_noticed_by_help_too(shell: Shell, command: str) -> None:
    result = shell('"$@" > /dev/full', command)
    assert (result.returncode, len(result.stderr.splitlines())) == (5, 1)


def test_fault_49_full_disk_on_stderr_keeps_the_exit_code(shell: Shell) -> None:
    assert shell('"$@" 2> /dev/full', "train", "missing.yaml").returncode == 2


@pytest.mark.parametrize(
    "closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"], ids=lambda text: text
)
def test_fault_50_closed_streams_are_no_error(
    shell: Shell, run: Run, pictures: Path, closed: str
) -> None:
    before = run.litert_model.read_bytes()
    result = shell(f'"$@" {closed}', "predict", pictures, "--run", run.path)
    assert (result.returncode, result.stderr) == (0, "")
    assert bool(result.stdout) is (">&-" not in closed.replace("2>&-", ""))
    assert run.litert_model.read_bytes() == before


def test_fault_50_list_on_closed_stdin_is_a_usage_error(shell: Shell, run: Run) -> None:
    result = shell('"$@" <&-', "predict", "-", "--run", run.path)
    assert result.returncode == 2
    assert "standard input, which is closed" in result.stderr


ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "40"}


@pytest.mark.parametrize("format_", ["text", "csv", "json", "jsonl"])
def test_fault_51_ascii_terminal_gets_ascii(
    shell: Shell, run: Run, pictures: Path, format_: str
) -> None:
    result = shell('"$@"', "predict", pictures, "--run", run.path, "--format", format_, **ASCII)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.isascii()
    if format_ == "json":
        assert {answer["class"] for answer in json.loads(result.stdout)} == {"./=pear", "äpfel"}
    else:
        assert "pfel" in result.stdout


def test_fault_51_evaluation_on_an_ascii_terminal(shell: Shell, run: Run, pictures: Path) -> None:
    result = shell('"$@"', "evaluate", run.path, "--data", pictures, **ASCII)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\xe4pfel" in result.stdout


def test_main_is_the_function_that_the_installed_program_calls() -> None:
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="apple-clf")
    assert script.load() is cli_module.main
