"""The API, asked over HTTP."""

from pathlib import Path

import pytest
from explanation.models import convolutional, dense, write_run

from apple_clf.runs import Run
from apple_clf.web.app import PAGE, create_app
from apple_clf.web.models import read_served_run
from web.serving import PNG, Server, predicted, serving

pytestmark = pytest.mark.slow


def test_prediction_is_the_record_of_the_command_line(
    server: Server, run: Run, apple: Path
) -> None:
    files = sorted(apple.parent.glob("*.png"))
    expected = predicted(run.path, files)
    for file, record in zip(files, expected, strict=True):
        reply = server.ask("/predict", file.read_bytes())
        assert (reply.status, reply.json) == (200, record)


@pytest.mark.parametrize("kind", ["image/png", "image/tiff", "application/octet-stream"])
def test_content_is_told_by_its_bytes(server: Server, apple: Path, kind: str) -> None:
    reply = server.ask("/predict", apple.read_bytes(), {"Content-Type": kind})
    assert reply.json["class"] == "apple"


def test_bad_picture_is_a_record_with_its_error(server: Server) -> None:
    reply = server.ask("/predict", b"garbage")
    assert reply.status == 422
    assert (reply.json["class"], bool(reply.json["error"])) == (None, True)


def test_explanation_has_the_digits_of_the_answer(server: Server, apple: Path) -> None:
    body = apple.read_bytes()
    (inside,) = server.ask("/explain", body).json["models"]
    assert inside["answer"] == server.ask("/predict", body).json


def test_facts_are_told(server: Server, run: Run) -> None:
    assert server.ask("/health").json["status"] == "ok"
    (model,) = server.ask("/model").json["models"]
    assert model["name"] == run.name
    assert model["class_names"] == ["apple", "not_apple"]
    assert model["metrics"]["accuracy"]["low"] < model["metrics"]["accuracy"]["value"]
    assert len(model["litert_sha256"]) == 64
    assert 'path="/health",status="200"' in server.ask("/metrics").body.decode()


def test_counted_paths_are_a_fixed_few(server: Server) -> None:
    for i in range(5):
        server.ask(f"/nowhere/{i}")
    assert "nowhere" not in server.ask("/metrics").body.decode()


def test_weights_are_one_picture_a_unit_and_epoch(server: Server) -> None:
    weights = server.ask("/weights").json
    assert weights["epochs"] == [0, 1, 2, 3, 4, 6, 8]
    assert (weights["height"], weights["width"], weights["units"]) == (28, 28, 32)
    assert len(weights["pictures"]) == 7


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/predict?model=0", b"x", 400),
        ("/predict?model=2", b"x", 400),
        ("/predict?model=apples-001", b"x", 400),
        ("/weights?model=-1", None, 400),
        ("/collect", b"x", 400),
        ("/collect?label=banana", b"x", 422),
        ("/predict", None, 405),
        ("/health", b"x", 405),
    ],
)
def test_what_cannot_be_answered_says_why(
    server: Server, path: str, body: bytes | None, status: int
) -> None:
    reply = server.ask(path, body)
    assert (reply.status, bool(reply.json["error"])) == (status, True)


@pytest.mark.parametrize("path", ["/", "/docs", "/page/main.js", "/health", "/nowhere", "/model"])
def test_every_answer_forbids_what_pages_do_not_need(server: Server, path: str) -> None:
    headers = server.ask(path).headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not any(name.startswith("access-control") for name in headers)
    assert "server" not in headers


def test_page_needs_nothing_that_is_not_served(server: Server) -> None:
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "//cdn" not in text
        assert "https://" not in text
        if file.suffix != ".html":
            assert server.ask(f"/page/{file.name}").body == file.read_bytes()


def test_same_origin_may_ask(server: Server, apple: Path) -> None:
    headers = {**PNG, "Origin": server.url}
    assert server.ask("/predict", apple.read_bytes(), headers).status == 200


def test_models_are_asked_for_by_number(run: Run, tmp_path: Path, apple: Path) -> None:
    second = write_run(tmp_path / "second", dense())
    body = apple.read_bytes()
    with serving(run.path, second.path) as server:
        names = [model["name"] for model in server.ask("/model").json["models"]]
        assert names == [run.name, "second"]
        assert server.ask("/predict", body).json == predicted(run.path, [apple])[0]
        assert server.ask("/predict?model=2", body).json == predicted(second.path, [apple])[0]
        assert server.ask("/weights?model=2").status == 404
        assert server.ask("/collect?label=apple", body).status == 404
        assert len(server.ask("/explain", body).json["models"]) == 2


def test_workers_give_the_same_answers(run: Run, apple: Path) -> None:
    (expected,) = predicted(run.path, [apple])
    with serving(run.path, options=["--workers", "2"]) as server:
        for _ in range(20):
            assert server.ask("/predict", apple.read_bytes()).json == expected


def test_runs_of_other_classes_do_not_collect_together(run: Run, tmp_path: Path) -> None:
    from apple_clf.errors import ConfigError

    runs = [read_served_run(run), read_served_run(write_run(tmp_path / "b", convolutional()))]
    with pytest.raises(ConfigError, match="same classes"):
        create_app(runs, collect=tmp_path / "drawings")
    assert not (tmp_path / "drawings").exists()
