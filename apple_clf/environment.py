"""What the numbers of a run may depend on besides its experiment: versions, machine, flags."""

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from apple_clf import __version__
from apple_clf.config.schema import Experiment
from apple_clf.parallel import TRAINING_THREADS, available_cores

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "ai-edge-litert")
FLAGS = ("CUDA_VISIBLE_DEVICES", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS")


def environment(experiment: Experiment, durations: Mapping[str, float]) -> dict[str, object]:
    """The content of environment.json.

    Args:
        experiment: kept here too, so that a later edit of the run's YAML shows.
        durations: seconds by stage, from a monotonic clock.
    """
    return {
        **inputs(),
        "experiment": experiment.model_dump(mode="json"),
        "duration_seconds": {name: round(value, 3) for name, value in durations.items()},
    }


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


def _processor() -> str:
    """The processor's name where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
