"""Many threads on one predictor: are the answers those of one thread, and how fast do they come?

    python -m benchmarks.threads RUN [BUNDLE ...]

Requests of 1 to 40 pictures, as files, Pillow images and arrays, are answered by one thread, then
again and again by 16. Takes about as long as 200,000 answers of `predict` for each model.
"""

import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

from apple_clf.prediction.inference import Answer
from apple_clf.prediction.predictor import Picture, Predictor

SIZES = (1, 40, 2, 7, 1, 16, 3, 1)
"""Pictures in a request, in turn."""

Request = Sequence[Picture]


def make_requests(folder: Path, n: int = 48) -> list[list[Picture]]:
    """Requests of different sizes, each of files, Pillow images and arrays.

    Args:
        folder: gets the files.
        n: number of requests.
    """
    rng = np.random.default_rng(0)
    made: list[list[Picture]] = []
    for i in range(n):
        pictures: list[Picture] = []
        for j in range(SIZES[i % len(SIZES)]):
            pixels = rng.integers(256, size=(28, 28), dtype=np.uint8)
            path = folder / f"{i}-{j}.{('png', 'bmp', 'tif', 'webp')[(i + j) % 4]}"
            image = Image.fromarray(pixels)
            image.save(path)
            pictures.append((path, pixels, image)[(i + j) % 3])
        made.append(pictures)
    return made


def differing(
    predictor: Predictor,
    requests: Sequence[Request],
    expected: Sequence[list[Answer]],
    *,
    threads: int,
    answers: int,
) -> tuple[int, int, int]:
    """Numbers of answers given, of those that are not as expected, and of errors raised.

    Args:
        predictor: shared by the threads.
        requests: each thread answers them in an order of its own.
        expected: what one thread answered, by request.
        threads: at work at once.
        answers: given at least, by all threads together.
    """
    counts = np.zeros((threads, 3), np.int64)

    def work(number: int) -> None:
        rng = np.random.default_rng(number)
        while counts[number, 0] < answers / threads:
            i = int(rng.integers(len(requests)))
            counts[number, 0] += len(requests[i])
            try:
                given = predictor.predict(*requests[i])
            except Exception:  # noqa: BLE001 (whatever it is, it is counted)
                counts[number, 2] += 1
            else:
                counts[number, 1] += sum(a != b for a, b in zip(given, expected[i], strict=True))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    n, wrong, errors = counts.sum(axis=0).tolist()
    return n, wrong, errors


def lock_costs(predictor: Predictor, requests: Sequence[Request], *, pairs: int = 9) -> float:
    """Time with the lock over time without it, in one thread, median of pairs."""
    inner: Any = predictor._predictor
    lock: AbstractContextManager[object] = inner._lock

    def seconds(guard: AbstractContextManager[object]) -> float:
        inner._lock = guard
        started = time.perf_counter()
        for request in requests:
            predictor.predict(*request)
        return time.perf_counter() - started

    return median(seconds(lock) / seconds(nullcontext()) for _ in range(pairs))


def main(
    models: Annotated[list[Path], typer.Argument(help="Runs or bundles.")],
    threads: int = 16,
    answers: int = 100_000,
) -> None:
    """Prints the counts for each model, and ends with 1 if an answer was wrong."""
    failed = False
    for model in models:
        predictor = Predictor(model)
        with tempfile.TemporaryDirectory() as folder:
            requests = make_requests(Path(folder))
            expected = [predictor.predict(*request) for request in requests]
            for n_threads in (1, threads):
                started = time.perf_counter()
                n, wrong, errors = differing(
                    predictor, requests, expected, threads=n_threads, answers=answers
                )
                rate = n / (time.perf_counter() - started)
                print(
                    f"{model.name}, {n_threads} thread{'s' * (n_threads > 1)}: {n:,} answers, "
                    f"{wrong} different, {errors} errors, {rate:,.0f} a second",
                    flush=True,
                )
                failed = failed or bool(wrong or errors)
            cost = lock_costs(predictor, requests)
            print(f"{model.name}, 1 thread: {cost:.3f} times the time without a lock", flush=True)
    raise typer.Exit(int(failed))


if __name__ == "__main__":
    typer.run(main)
