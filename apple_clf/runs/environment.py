"""What the numbers of a run may depend on besides its experiment: versions, machine, flags."""

import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from apple_clf import __version__
from apple_clf.config.schema import Experiment
from apple_clf.errors import not_installed
from apple_clf.io.parallel import TRAINING_THREADS, available_cores

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "ai-edge-litert")
FLAGS = ("CUDA_VISIBLE_DEVICES", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS")


def environment(
    experiment: Experiment, durations: Mapping[str, float], *, changed: Sequence[str] = ()
) -> dict[str, object]:
    """The content of environment.json.

    Args:
        experiment: kept here too, so that a later edit of the run's YAML shows.
        durations: seconds by stage, from a monotonic clock.
        changed: what was otherwise when earlier epochs of the run were trained.
    """
    return {
        **inputs(),
        "changed_on_resume": list(changed),
        "experiment": experiment.model_dump(mode="json"),
        "duration_seconds": {name: round(value, 3) for name, value in durations.items()},
    }


def check_trains() -> None:
    """Refuses to begin a training where TensorFlow is missing, before anything is made.

    Raises:
        MissingExtraError: it is.
    """
    if find_spec("tensorflow") is None:
        raise not_installed("tensorflow")


def inputs() -> dict[str, object]:
    """Versions, machine, threads and flags, in the order in which a difference matters."""
    return {
        "apple_clf": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": available_cores(),
        "threads": TRAINING_THREADS,
        "packages": {name: version(name) for name in PACKAGES},
        "flags": {name: os.environ[name] for name in sorted(os.environ) if name in FLAGS},
    }


def changed_inputs(recorded: Mapping[str, Any]) -> list[str]:
    """What differs here from the content of an environment.json, the weightiest first."""
    before, now = _flat(recorded), _flat(inputs())
    return [
        f"{name} was {before.get(name)} and is now {now.get(name)}"
        for name in {**now, **before}
        if before.get(name) != now.get(name)
    ]


def _flat(content: Mapping[str, Any]) -> dict[str, object]:
    """Versions, machine, threads and flags, those of packages by their own names."""
    flat = {name: content.get(name) for name in inputs() if name not in {"packages", "flags"}}
    return {**content.get("packages", {}), **flat, **content.get("flags", {})}


def _processor() -> str:
    """The processor's name where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
