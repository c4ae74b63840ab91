"""What the numbers of a run may depend on besides its experiment: versions, machine, flags."""

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from apple_clf import __version__
from apple_clf.parallel import available_cores

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "ai-edge-litert")
FLAGS = ("CUDA_VISIBLE_DEVICES", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS")


def environment(durations: Mapping[str, float], *, threads: int) -> dict[str, object]:
    """The content of environment.json.

    Args:
        durations: seconds by stage, from a monotonic clock.
        threads: that computed.
    """
    return {
        "apple_clf": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": available_cores(),
        "threads": threads,
        "packages": {name: version(name) for name in PACKAGES},
        "flags": {name: os.environ[name] for name in sorted(os.environ) if name in FLAGS},
        "duration_seconds": {name: round(value, 3) for name, value in durations.items()},
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
