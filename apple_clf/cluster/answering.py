"""A plan of shards -> all of them answered, by tasks of Ray that any machine may take."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayError, RayTaskError

from apple_clf.cluster.connection import n_cpus
from apple_clf.cluster.plan import Plan, Shard, manifest_of
from apple_clf.cluster.shards import answer_shard, count
from apple_clf.cluster.surroundings import surroundings
from apple_clf.errors import AppleClfError, ArtifactError, MemoryLimitError
from apple_clf.io.files import printable
from apple_clf.runs.model_record import ModelRecord

RETRIES = 3
"""Of a shard whose worker or machine died, by Ray itself."""

SECONDS_TO_WAIT = 1.0
"""Between two looks at how much room the cluster has."""


class Answered(NamedTuple):
    """What the files of a plan hold."""

    n_images: int
    n_failed: int
    n_shards: int


def answer(
    plan: Plan,
    model: tuple[ModelRecord, bytes],
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Answered:
    """What the shards hold, once each of them stands; those that stood are left as they are.

    Args:
        plan: of a folder that no other process is at work on.
        model: its record, and its verified LiteRT file.
        on_progress: told how many shards stand, and of how many.

    Raises:
        ArtifactError: the model cannot answer, or a file of answers is damaged.
        FileSystemError: a machine sees other files, or cannot write.
        MemoryLimitError: the workers of a shard were killed again and again.
    """
    shards = plan.shards
    todo = [shard for shard in shards if not shard.path.exists()]
    n_done = len(shards) - len(todo)
    on_progress(n_done, len(shards))
    lost = 0
    for shard_stands in _carried_out(plan, todo, model):
        n_done += shard_stands
        lost += not shard_stands
        on_progress(n_done, len(shards))
    if lost:
        raise MemoryLimitError(
            f"{printable(plan.out)}: the workers of {lost} of {len(shards)} shards were killed "
            f"{RETRIES + 1} times, most likely because memory ran out. The others stand; the same "
            "command tries again."
        )
    return _counted(plan)


def _carried_out(
    plan: Plan, todo: Sequence[Shard], model: tuple[ModelRecord, bytes]
) -> Iterator[bool]:
    """Whether a shard stands, for one after the other, as they end."""
    # In turn on all machines, as each has its own disk and memory.
    task = ray.remote(num_cpus=1, max_retries=RETRIES, scheduling_strategy="SPREAD")(answer_shard)
    named = map(Path, plan.images)
    folders = {path if path.is_dir() else path.parent for path in named}
    here = surroundings(
        plan.folder,
        own=manifest_of(plan.out),
        others=[folder for folder in folders if folder.is_dir()],
    )
    around = ray.put(here)
    given, waiting = ray.put(model), iter(todo)
    under_way: set[Any] = set()
    while True:
        room = 2 * n_cpus() - len(under_way)  # one waits where one is carried out
        under_way.update(
            task.remote(shard, around, given) for shard in islice(waiting, max(0, room))
        )
        if not under_way:
            return
        ended, _ = ray.wait(list(under_way), timeout=SECONDS_TO_WAIT)
        under_way.difference_update(ended)
        yield from map(_stands, ended)


def _stands(ended: Any) -> bool:
    try:
        ray.get(ended)
    except RayTaskError as error:
        if isinstance(error.cause, AppleClfError):
            raise error.cause from error
        raise
    except RayError:
        return False
    return True


def _counted(plan: Plan) -> Answered:
    """What the files hold.

    Raises:
        ArtifactError: together they do not hold an answer for each image.
    """
    counts = [count(shard.path) for shard in plan.shards]
    n_images, n_failed = sum(n for n, _ in counts), sum(failed for _, failed in counts)
    if n_images != plan.n_images:
        raise ArtifactError(
            f"{printable(plan.out)}: its shards hold {n_images} answers for "
            f"{plan.n_images} images: one was changed. Delete it, and ask again."
        )
    return Answered(n_images, n_failed, len(plan.shards))
