"""What several threads share on the way from a picture to its answer."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_inference import NAMES, make_model, make_record

from apple_clf.io.quiet import quiet_stderr
from apple_clf.model.appearance import appearances
from apple_clf.model.files import litert_bytes
from apple_clf.prediction.decision.novelty import fit_gaussian
from apple_clf.prediction.inference import BATCH
from apple_clf.prediction.inference import Predictor as ArrayPredictor
from apple_clf.prediction.predictor import Predictor
from apple_clf.runs.bundle import bundle_bytes
from benchmarks.threads import differing, make_requests

PIXELS = np.random.default_rng(0).integers(256, size=(BATCH + 9, 9, 8, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def litert() -> bytes:
    return litert_bytes(make_model(3), novelty=fit_gaussian(appearances(PIXELS)))


@pytest.fixture(autouse=True)
def _switching_often() -> Iterator[None]:
    """Threads take turns every 10 us, so that what may go wrong does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], object], *, n: int = 4) -> None:
    """Runs work(0) to work(n - 1) at once; what one of them raises is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(n)

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 (raised below)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_that_share_a_predictor_get_the_answers_of_one(litert: bytes) -> None:
    predictor = ArrayPredictor(make_record(litert, *NAMES), litert)
    sizes = (1, 7, 2, BATCH + 9, 1, 33)
    expected = [predictor.outputs(PIXELS[:n]) for n in sizes]
    wrong = [0] * 4

    def work(number: int) -> None:
        for turn in range(60):
            i = (turn + number) % len(sizes)
            given = predictor.outputs(PIXELS[: sizes[i]])
            wrong[number] += any(
                not np.array_equal(one, other)
                for one, other in zip(given, expected[i], strict=True)
            )

    in_threads(work)
    assert wrong == [0] * 4


@pytest.mark.parametrize("form", ["run", "bundle"])
def test_files_images_and_arrays_are_answered_alike_in_threads(
    litert: bytes, tmp_path: Path, form: str
) -> None:
    record = make_record(litert, *NAMES)
    model = tmp_path / "tiny-001"
    if form == "bundle":
        model.write_bytes(bundle_bytes(record, litert, name=model.name))
    else:
        model.mkdir()
        (model / "model.tflite").write_bytes(litert)
        (model / "model.json").write_text(record.to_json())
    requests = make_requests(tmp_path, 16)
    expected = [Predictor(model).predict(*request) for request in requests]
    assert not any(answer.error for answers in expected for answer in answers)
    n, wrong, errors = differing(Predictor(model), requests, expected, threads=4, answers=400)
    assert n >= 400
    assert (wrong, errors) == (0, 0)


def test_image_that_is_not_decoded_yet_may_be_given_to_several_threads(
    litert: bytes, tmp_path: Path
) -> None:
    record = make_record(litert, *NAMES)
    model = tmp_path / "tiny.zip"
    model.write_bytes(bundle_bytes(record, litert, name=model.name))
    predictor = Predictor(model)
    pixels = np.random.default_rng(1).integers(256, size=(200, 300), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    for kind in ("PNG", "JPEG", "TIFF"):
        file = BytesIO()
        Image.fromarray(pixels).save(file, kind, exif=turned)
        (expected,) = predictor.predict(Image.open(BytesIO(file.getvalue())))
        assert expected.error is None
        for _ in range(20):
            shared = Image.open(BytesIO(file.getvalue()))
            given = [expected] * 4
            in_threads(lambda number: given.__setitem__(number, *predictor.predict(shared)))  # noqa: B023
            assert given == [expected] * 4, kind


def test_models_may_be_made_in_several_threads(
    litert: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    record = make_record(litert, *NAMES)
    expected = ArrayPredictor(record, litert).predict(PIXELS[:5])

    def work(_: int) -> None:
        for _ in range(5):
            given = ArrayPredictor(record, litert).predict(PIXELS[:5])
            np.testing.assert_array_equal(given, expected)

    in_threads(work)
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


def test_stderr_is_back_when_blocks_of_two_threads_overlap(
    capfd: pytest.CaptureFixture[str],
) -> None:
    entered, left = threading.Event(), threading.Event()
    n_open = len(list(Path("/proc/self/fd").iterdir()))

    def second() -> None:
        with quiet_stderr():
            entered.set()
            left.wait()
            os.write(2, b"of the second")

    thread = threading.Thread(target=second)
    with quiet_stderr():
        thread.start()
        entered.wait()
        os.write(2, b"of the first")
    left.set()
    thread.join()
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
    assert len(list(Path("/proc/self/fd").iterdir())) == n_open


def test_block_that_fails_beside_another_shows_what_was_held_back_since_it_began(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        with quiet_stderr():
            os.write(2, b"cause")
            raise ValueError("broken")

    with quiet_stderr():
        os.write(2, b"before")
        with pytest.raises(ValueError, match="broken"):
            fail()
        assert capfd.readouterr().err == "cause"
        os.write(2, b"quiet again")
    assert capfd.readouterr().err == ""
