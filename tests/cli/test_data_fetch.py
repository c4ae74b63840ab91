"""`apple-clf data fetch`, against a server on this machine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from data.fetching.server import Fault, Site, serving
from data.fetching.test_quickdraw import npy

from apple_clf.data.fetching import transfer
from cli.conftest import Cli, Shell

REQUEST = ("data", "fetch", "quickdraw", "--classes", "apple, pear", "--per-class", "3")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(transfer, "WAITS", ())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as site:
        monkeypatch.setenv("APPLE_CLF_MIRROR", site.url)
        for seed, name in enumerate(("apple", "pear")):
            pixels = np.random.default_rng(seed).integers(0, 256, (9, 784), np.uint8)
            site.files[f"/quickdraw_dataset/full/numpy_bitmap/{name}.npy"] = npy(pixels)
        yield site


def test_it_says_what_came_and_how_to_use_it(cli: Cli, site: Site, tmp_path: Path) -> None:
    outcome = cli(*REQUEST, "--out", tmp_path / "drawings")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "      3  apple",
        "      3  pear",
        f"      6  images in {tmp_path}/drawings",
        "Train on them: apple-clf train --set data.source=quickdraw --set "
        f'\'data.classes=["apple", "pear"]\' --set data.per_class=3 --set '
        f"'data.path=\"{tmp_path}/drawings\"'",
    ]
    assert "Licence: CC BY 4.0" in outcome.err
    assert "Cite: The Quick, Draw! Dataset, Google" in outcome.err


def test_quiet_says_nothing_on_the_way(cli: Cli, site: Site) -> None:
    assert cli(*REQUEST, "--quiet").err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("quickdraw",), 2, "Error: data fetch: classes is missing"),
        (("quickdraw", "--classes", "apple"), 2, "data fetch: classes must be a list"),
        (("quickdraw", "--classes", "apple,apple"), 2, "must not name a class twice"),
        (
            ("quickdraw", "--classes", "apple,pear", "--size", "64"),
            2,
            "data fetch: size must be 28",
        ),
        (("quickdraw", "--classes", "apple,pear", "--form", "x"), 2, "data fetch: form must be"),
        (
            ("quickdraw", "--classes", "apple,pear", "--drawings", "recognized"),
            2,
            "set form to strokes",
        ),
        (
            ("quickdraw", "--classes", "apple,pear", "--one-vs-rest", "fig"),
            2,
            "data fetch: one_vs_rest must be one of the classes, not fig",
        ),
        (("cifar100", "--per-class", "3"), 2, "data fetch: per_class is not a key"),
        (("quickdraw", "--classes", "apple,bananna"), 3, "Did you mean banana?"),
        (("cifar100", "--classes", "aple,pear"), 3, "Did you mean apple?"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_asked(
    cli: Cli, site: Site, arguments: tuple[str, ...], code: int, message: str
) -> None:
    outcome = cli("data", "fetch", *arguments)

    assert outcome.code == code
    assert message in outcome.err
    assert site.asked == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(status=404), "apple.npy: there is no such file."),
        (Fault(status=503), "the server answers 503"),
        (Fault(drop_after=5), "the connection broke off"),
        (Fault(flips_byte=0), "what came is damaged: it is no .npy file"),
    ],
    ids=str,
)
def test_what_goes_wrong_out_there_is_a_line_and_3(
    cli: Cli, site: Site, tmp_path: Path, fault: Fault, message: str
) -> None:
    site.faults.append(fault)

    outcome = cli(*REQUEST, "--out", tmp_path / "drawings")

    assert outcome.code == 3
    assert message in outcome.err
    assert not (tmp_path / "drawings").exists()
    assert cli(*REQUEST, "--out", tmp_path / "drawings").code == 0


def test_a_folder_that_cannot_be_written_is_5(cli: Cli, site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    outcome = cli(*REQUEST, "--out", tmp_path / "file" / "drawings")

    assert outcome.code == 5
    assert "cannot be written: Not a directory" in outcome.err


def test_training_offline_says_what_to_run(cli: Cli, site: Site, tmp_path: Path) -> None:
    site.files.clear()
    site.faults.append(Fault(status=503))

    outcome = cli("train", "--set", "data.source=quickdraw", "--set", "data.classes=[apple, pear]")

    assert outcome.code == 3
    assert "then: apple-clf data fetch quickdraw --classes apple,pear" in outcome.err


@pytest.mark.parametrize("arguments", [("--help",), ("runs",), ("data", "fetch", "--help")])
def test_nothing_of_the_network_is_imported_without_need(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    done = shell('"$1" -X importtime "${@:2}"', *arguments)

    assert done.returncode == 0
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "apple_clf.cli" in modules
    assert not modules & {"pooch", "requests", "urllib3", "pydantic", "PIL"}
